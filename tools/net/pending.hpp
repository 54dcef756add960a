#pragma once

#include <chrono>
#include <string>

#include "net/convergence.hpp"

/// Changes of interfaces that wait for their confirmation.
namespace wgkit::tool::net {

/// What such a change is called: `net-wg0`, in other network namespances `net-wg0@NUMBER`.
std::string change_name(const std::string& interface);
/// The interface of a change of this network namespace by its name; empty for others.
std::string interface_of_change(const std::string& name);

/// Errors: conflict (a change of the interface waits).
Result<void> check_nothing_pending(const std::string& interface);

/// Remembers how the interface is, and has it restored after `timeout` unless the change is
/// confirmed. `boot_file`: where the file of the change is put then; empty: nowhere.
/// Errors: those of confirm::arm; invalid (/etc/wgkit/revoked cannot be read).
Result<void> arm_rollback(const Convergence& it, std::chrono::seconds timeout,
                          const std::string& boot_file);

} // namespace wgkit::tool::net
