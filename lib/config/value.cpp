#include "config/value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "util/ascii.hpp"
#include "util/dns_entry.hpp"

namespace wgkit::config {

namespace {

Error invalid(std::string message, std::string hint = {}) {
    return {Errc::invalid, std::move(message), std::move(hint)};
}

} // namespace

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 80;
    const bool printable =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!printable || text.size() > longest || ascii::may_hold_key(text)) return "this value";
    return fmt::format("'{}'", text);
}

Result<std::uint16_t> parse_listen_port(std::string_view text) {
    if (const auto port = ascii::to_number(text, 65535)) return static_cast<std::uint16_t>(*port);
    const bool number = !text.empty() && std::all_of(text.begin(), text.end(), ascii::is_digit);
    return invalid(fmt::format("{} is not a port between 0 and 65535", quoted(text)),
                   number ? "wg would silently use the number modulo 65536"
                          : "write the number of the port, not a service name");
}

Result<std::uint32_t> parse_fw_mark(std::string_view text) {
    constexpr std::uint64_t max = 0xFFFFFFFF;
    if (ascii::iequals(text, "off")) return std::uint32_t{0};
    if (const auto mark = ascii::to_number(text, max)) return static_cast<std::uint32_t>(*mark);
    if (text.starts_with("0x") && text.size() > 2) {
        std::uint64_t value = 0;
        const char* end = text.data() + text.size();
        const auto [stop, failure] = std::from_chars(text.data() + 2, end, value, 16);
        if (failure == std::errc{} && stop == end && value <= max)
            return static_cast<std::uint32_t>(value);
    }
    return invalid(fmt::format("{} is not a firewall mark", quoted(text)),
                   "write off, a decimal number, or 0x and up to eight hexadecimal digits");
}

Result<std::chrono::seconds> parse_keepalive(std::string_view text) {
    if (ascii::iequals(text, "off")) return std::chrono::seconds{0};
    if (const auto seconds = ascii::to_number(text, 65535)) return std::chrono::seconds{*seconds};
    return invalid(fmt::format("{} is not a keepalive interval", quoted(text)),
                   "write off or a number of seconds up to 65535; 25 suits most NATs");
}

Result<AllowedIp> parse_allowed_ip(std::string_view text) {
    AllowedIp entry;
    std::string_view rest = text;
    if (rest.starts_with('+') || rest.starts_with('-')) {
        entry.sign = rest.front() == '+' ? Sign::add : Sign::remove;
        rest.remove_prefix(1);
    }
    const auto prefix = parse_address(rest);
    if (!prefix) return prefix.error();
    entry.prefix = *prefix;
    return entry;
}

Result<Prefix> parse_address(std::string_view text) {
    if (text.empty()) return invalid("an entry of the list is empty", "remove the extra comma");
    if (auto prefix = Prefix::parse(text)) return prefix;
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (address)
        return invalid(
            fmt::format("{} has no prefix length between 0 and {}", quoted(text), address->bits()));
    return invalid(fmt::format("{} is not an IP address with an optional length", quoted(text)),
                   "write for example 10.0.0.0/24 or fd00::/64; commas separate entries");
}

Result<std::string> parse_dns(std::string_view text) {
    if (auto entry = dns_entry(text)) return *entry;
    return invalid(fmt::format("{} is {}", quoted(text),
                               is_dns_server(text) ? "not an IP address"
                                                   : "neither an IP address nor a domain"));
}

Result<std::uint16_t> parse_mtu(std::string_view text) {
    constexpr std::uint64_t least = 576; // what every IPv4 host must be able to receive
    const auto mtu = ascii::to_number(text, 65535);
    if (mtu && *mtu >= least) return static_cast<std::uint16_t>(*mtu);
    return invalid(fmt::format("{} is not an MTU between {} and 65535", quoted(text), least),
                   "1420 fits a path of 1500 bytes; without MTU wg-quick finds it out");
}

Result<std::string> parse_table(std::string_view text) {
    if (is_name_of(text, "._-")) return std::string(text);
    return invalid(fmt::format("{} is not a routing table", quoted(text)),
                   "write off, auto, a number, or a name of /etc/iproute2/rt_tables");
}

Result<bool> parse_save_config(std::string_view text) {
    if (ascii::iequals(text, "true")) return true;
    if (ascii::iequals(text, "false")) return false;
    return invalid(fmt::format("{} is neither true nor false", quoted(text)));
}

} // namespace wgkit::config
