#pragma once

#include <string>
#include <vector>

#include "wgkit/device.hpp"

/// Devices as JSON, schema 1: wgkit-net(8) has the members, named after those of wg-json.
namespace wgkit::tool::net {

/// Keys that are set but hidden are the text "(hidden)"; those that are not set, null.
SecretString to_json(const std::vector<Device>& devices, bool show_secrets);
SecretString names_json(const std::vector<std::string>& names);

} // namespace wgkit::tool::net
