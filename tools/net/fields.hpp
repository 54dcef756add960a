#pragma once

#include <string>
#include <vector>

#include "wgkit/device.hpp"

/// The formats of `wg show IFACE FIELD`, byte for byte (wg(8)). private-key, preshared-keys and
/// dump hold secrets.
namespace wgkit::tool::net {

/// In the order of wg's help.
std::vector<std::string> field_names();

/// Adds the lines for one field of a device. `with_name`: each begins with the device's name, as wg
/// has it for "all". Requires one of field_names().
void add_field(SecretString& text, const Device& device, std::string_view field, bool with_name);

/// Parts that other formats share.
SecretString fwmark_text(std::uint32_t fwmark);
SecretString joined(const std::vector<Prefix>& prefixes, std::string_view separator);

} // namespace wgkit::tool::net
