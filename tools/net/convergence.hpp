#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/target.hpp"
#include "wgkit/device.hpp"

namespace wgkit::tool::net {

/// What `plan` and `apply` are told.
struct ConvergenceOptions {
    std::string interface;
    bool keep_unmanaged = false;
    bool set_endpoints = false;
    bool insecure_permissions = false;
    std::uint32_t allow_removals = 0;
    bool has_allow_removals = false;
};

/// A device, what its file wants, and the change from one to the other.
struct Convergence {
    Target target;
    DiffOptions options;
    std::unique_ptr<DeviceBackend> backend;
    WantedDevice wanted;
    Device present;
    DeviceChange change;
    std::vector<std::string> unknown_endpoints; ///< why some could not be looked up
};

/// Reads the device, looks names up and compares. Errors: those of the device.
Result<Convergence> converge(Target target, const ConvergenceOptions& options);

/// Makes the change, reads the device again and compares. Failures are printed: each refused peer,
/// and what differs although nothing was refused. Returns the exit status.
int carry_out(const Convergence& convergence, const Report& report);

} // namespace wgkit::tool::net
