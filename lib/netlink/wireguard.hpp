#pragma once

#include <string>
#include <string_view>

#include "wgkit/device.hpp"

struct nlmsghdr;

/// The kernel's WireGuard, asked over generic netlink (linux/wireguard.h).
namespace wgkit::netlink {

/// Adds what one message of a dump says to the device. A peer whose allowed IPs did not fit goes
/// on in the next message, with its public key and the rest of them. Errors: invalid.
Result<void> add_message(Device& device, const nlmsghdr& message);

/// Errors: not_found, invalid (not a WireGuard interface), permission, conflict, system.
Result<Device> read_device(const std::string& name);

Error not_wireguard(const std::string& name);
/// What an error number of the family means for a device. `verb`: what was asked for.
Error explain(int kernel_error, const std::string& name, const Error& error, std::string_view verb);

} // namespace wgkit::netlink
