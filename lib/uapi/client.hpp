#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wgkit/device.hpp"

/// Userspace engines, asked over their configuration sockets /var/run/wireguard/IFACE.sock.
namespace wgkit::uapi {

/// The interfaces whose sockets somebody listens on, in the folder's order, as wg(8) lists them.
/// What a killed engine left behind is skipped, and left alone. Errors: permission, system.
Result<std::vector<std::string>> list_devices();

/// What the engine says of its device; nothing if no engine serves such an interface.
/// Errors: permission, invalid (a malformed answer), system.
Result<std::optional<Device>> read_device(const std::string& name);

} // namespace wgkit::uapi
