#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/app.hpp"
#include "wgkit/device.hpp"
#include "wgkit/host.hpp"
#include "wgkit/interface.hpp"

namespace wgkit::tool::net {

/// What an interface shall have besides WireGuard, and by what its own routes and rules are told
/// from those of others.
struct HostGoal {
    HostState wanted;
    std::vector<Prefix> owned;     ///< see `diff`
    bool has_rules = true;         ///< else rules and filters are not the interface's own
    std::uint32_t mark_before = 0; ///< the firewall mark of its rules and filters
    std::uint32_t mark_after = 0;  ///< and once the device has changed
};

/// With the rules of both marks. The mark of a filter cannot be told: it is taken to be `mark`.
Result<HostState> read_host(const std::string& interface, const HostGoal& goal, std::uint32_t mark);

/// Changes one interface, in an order in which nothing is taken away before what replaces it is
/// there: peers and allowed IPs that come; then the host's addresses and routes, first those that
/// come; last the peers and allowed IPs that go, to which no route leads any more.
class Changing {
  public:
    Changing(const std::string& interface, DeviceBackend& backend, InterfaceLock& lock,
             const Report& report)
        : interface_(interface), backend_(backend), lock_(lock), report_(report) {}

    /// Prints what fails: a peer that was refused, while the others change all the same; else the
    /// first thing that does, after which nothing more is done. Returns the exit status.
    int change(DeviceChange change, const std::optional<HostGoal>& host);

  private:
    bool set(const DeviceChange& change);
    bool reach(const HostGoal& host);
    bool fail(const Error& error);

    const std::string& interface_;
    DeviceBackend& backend_;
    InterfaceLock& lock_;
    const Report& report_;
    bool has_failed_ = false;
};

} // namespace wgkit::tool::net
