#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "fleet/target.hpp"
#include "util/temporary_folder.hpp"
#include "wgkit/fleet.hpp"

namespace wgkit::tool::fleet {

/// Why a call brought no answer.
enum class Trouble {
    none,
    unreachable, ///< ssh did not get there, or the connection broke
    refused,     ///< sudo, or the login, was refused
    no_wgkit,    ///< there is no wgkit on the node, or one that does not understand us
    failed,      ///< the node answered with an error
};

struct Reply {
    Trouble trouble = Trouble::none;
    Error error; ///< if there is trouble
    wgkit::fleet::NodeAnswer answer;
    /// How far the node's clock was ahead of ours when the answer came. Units: seconds
    std::int64_t clock_skew = 0;

    bool is_good() const { return trouble == Trouble::none; }
};

/// Runs `wgkit fleet node` on nodes by the system's ssh, whose configuration and agents hold. One
/// connection to each node, which later calls share; it ends with this object.
/// Threads: calls may run at once.
class Transport {
  public:
    explicit Transport(std::chrono::seconds connect_timeout);
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    ~Transport();

    /// A call; `fresh`: over a connection of its own, begun now.
    Reply call(const Target& target, const wgkit::fleet::NodeRequest& request, bool fresh = false);
    /// Runs a command of the shell with something on its standard input.
    Result<SecretString> run(const Target& target, const std::string& command,
                             std::string_view input, std::chrono::seconds patience);

  private:
    std::vector<std::string> ssh(const Target& target, bool fresh) const;

    std::chrono::seconds connect_timeout_;
    TemporaryFolder sockets_; ///< of the connections
};

/// The sentence of ssh that tells why it failed.
std::string last_line(std::string_view text);

} // namespace wgkit::tool::fleet
