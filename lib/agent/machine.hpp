#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wgkit/agent.hpp"
#include "wgkit/config.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

namespace wgkit::agent {

/// The interfaces that an agent changes.
class Machine {
  public:
    Machine() = default;
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    virtual ~Machine() = default;

    virtual bool has(const std::string& interface) const = 0;
    /// Makes the interface what the configuration says: brings it up, or changes what differs;
    /// sessions of peers that stay go on. Runs no hooks. `warn` hears of endpoints that could not
    /// be looked up. True if something was changed. Errors: those of the device and the host.
    virtual Result<bool> apply(const std::string& interface, config::Config& config,
                               const std::function<void(const Error&)>& warn) = 0;
    /// Takes all peers away, or those with these keys; the interface stays. Nothing if it is not
    /// there.
    virtual Result<void> remove_all_peers(const std::string& interface) = 0;
    virtual Result<void> remove_peers(const std::string& interface,
                                      const std::vector<PublicKey>& keys) = 0;
    /// Which of the addresses answer to an echo; if nobody may ask, all do.
    virtual std::vector<bool> echo(const std::vector<IpAddress>& addresses,
                                   std::chrono::milliseconds patience) = 0;
};

/// The agent's life on a machine; see run_agent.
Result<void> run_agent_on(Machine& machine, HttpPoster& requests, HttpPoster& watch,
                          const AgentOptions& options);

/// This machine.
std::unique_ptr<Machine> local_machine();

} // namespace wgkit::agent
