#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "wgkit/config.hpp"
#include "wgkit/result.hpp"

/// Single values, as wg(8) and wg-quick(8) write them. All take text without white space; errors
/// never quote what may be a key.
namespace wgkit::config {

/// The text in quotes for a message, or a stand-in when it could be a key or is not printable.
std::string quoted(std::string_view text);

Result<std::uint16_t> parse_listen_port(std::string_view text);
Result<std::uint32_t> parse_fw_mark(std::string_view text);
Result<std::chrono::seconds> parse_keepalive(std::string_view text);
Result<AllowedIp> parse_allowed_ip(std::string_view text);
Result<Prefix> parse_address(std::string_view text);
/// A server's address (with scope, if it has one) or a search domain.
Result<std::string> parse_dns(std::string_view text);
Result<std::uint16_t> parse_mtu(std::string_view text);
Result<std::string> parse_table(std::string_view text);
Result<bool> parse_save_config(std::string_view text);

} // namespace wgkit::config
