#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/changing.hpp"
#include "net/interface_file.hpp"
#include "wgkit/device.hpp"
#include "wgkit/host.hpp"

namespace wgkit::tool::net {

/// What `plan` and `apply` are told.
struct ConvergenceOptions {
    std::string interface;
    bool keep_unmanaged = false;
    bool set_endpoints = false;
    bool insecure_permissions = false;
    std::uint32_t allow_removals = 0;
    bool has_allow_removals = false;
    bool host = true; ///< addresses, routes, rules and MTU, too
};

/// What an interface shall have besides WireGuard, what it has, and the steps between.
struct HostConvergence {
    std::optional<HostGoal> goal; ///< without one, all of it is left alone
    std::string manager;          ///< who else manages it, if that is the reason
    HostState present;
    std::vector<HostStep> steps;
};

/// A device, what its file wants, and the change from one to the other.
struct Convergence {
    LoadedFile target;
    DiffOptions options;
    std::unique_ptr<DeviceBackend> backend;
    WantedDevice wanted;
    Device present;
    DeviceChange change;
    HostConvergence host;
    std::vector<std::string> unknown_endpoints; ///< why some could not be looked up

    const std::string& interface() const { return target.file.interface; }
    bool empty() const { return change.empty() && host.steps.empty(); }
};

/// Reads the device, looks names up and compares. Errors: those of the device.
Result<Convergence> converge(LoadedFile target, const ConvergenceOptions& options);

/// Makes the change, reads the device again and compares. Failures are printed: each refused peer,
/// and what differs although nothing was refused. Returns the exit status.
int carry_out(Convergence& convergence, InterfaceLock& lock, const Report& report);

} // namespace wgkit::tool::net
