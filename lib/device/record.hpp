#pragma once

#include <cstdint>
#include <string>

#include "util/unique_fd.hpp"
#include "wgkit/result.hpp"

namespace wgkit {

/// What is remembered of an interface while it is up: /run/wgkit/IFACE.state (see
/// `name_across_namespaces`), so that a run that
/// was killed is told from one that ended, and what outlasts an interface is found without it.
/// Whoever has one open is the only one to change the interface.
class InterfaceRecord {
  public:
    enum class Phase { none, starting, up, stopping };

    /// Errors: conflict (another process has it open), permission, system.
    static Result<InterfaceRecord> open(const std::string& interface);

    Phase phase() const { return phase_; }
    /// The firewall mark of a full tunnel, also the number of its table; 0: none.
    std::uint32_t mark() const { return mark_; }

    Result<void> write(Phase phase, std::uint32_t mark);
    Result<void> remove();

  private:
    std::string path_;
    UniqueFd lock_;
    Phase phase_ = Phase::none;
    std::uint32_t mark_ = 0;
};

} // namespace wgkit
