#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/machine.hpp"
#include "wgkit/ip.hpp"

namespace wgkit::agent {

/// Whether a change has cut off peers that could be reached before it.
class Health {
  public:
    /// Asks all peers of a configuration for an echo, and remembers who answers.
    void look(Machine& machine, const config::Config& before);
    /// Waits until all of those who are still peers answer again, at most so long. Returns those
    /// who do not. `go_on`: asked between looks; false: it is not known, nobody is returned.
    std::vector<PublicKey> missing(Machine& machine, const config::Config& after,
                                   std::chrono::milliseconds patience,
                                   const std::function<bool()>& go_on) const;

  private:
    std::map<PublicKey, IpAddress> answering_;
};

} // namespace wgkit::agent
