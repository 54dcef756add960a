#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/yaml_field.hpp"
#include "wgkit/inventory.hpp"

/// Typed reads of single values: each returns nothing and adds a diagnostic if the value is not
/// what the field takes.
namespace wgkit::mesh::field {

using yaml::field::bad;
using yaml::field::boolean;
using yaml::field::choice;
using yaml::field::Choice;
using yaml::field::choose;
using yaml::field::expect;
using yaml::field::number;
using yaml::field::text;
using yaml::field::unknown;

/// A DNS label: it becomes a path, a hosts entry or a comment.
std::optional<std::string> label(const yaml::Value& value, Diagnostics& diagnostics);
/// A network interface name: 1 to 15 of letters, digits and _=+.-
std::optional<std::string> interface(const yaml::Value& value, Diagnostics& diagnostics);
/// A list of single-line texts, or one text.
std::optional<std::vector<Located<std::string>>> texts(const yaml::Value& value,
                                                       Diagnostics& diagnostics);
std::optional<std::uint16_t> port(const yaml::Value& value, Diagnostics& diagnostics);
/// Seconds, or `off` for 0.
std::optional<std::uint16_t> keepalive(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<IpAddress> address(const yaml::Value& value, Family family, Diagnostics& diagnostics);
/// A prefix without host bits.
std::optional<Prefix> prefix(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<std::vector<Located<Prefix>>> prefixes(const yaml::Value& value,
                                                     Diagnostics& diagnostics);
/// `host:port` or `host`; port 0 means "the node's listen port".
std::optional<Endpoint> endpoint(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<PublicKey> public_key(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<Date> date(const yaml::Value& value, Diagnostics& diagnostics);

} // namespace wgkit::mesh::field
