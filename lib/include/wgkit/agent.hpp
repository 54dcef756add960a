#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/http.hpp"
#include "wgkit/result.hpp"

/// A node that fetches its configuration from a store, and believes only what is signed. See
/// wgkit-agent(8); SECURITY.md, "The fleet on agents".
namespace wgkit::agent {

/// Where an agent keeps its keys, what it knows of itself, and the last state.
inline constexpr const char* default_folder = "/var/lib/wgkit/agent";

/// What a node says of itself when it joins.
struct JoinOptions {
    std::string folder = default_folder;
    std::string name;     ///< the node's, a DNS label
    std::string endpoint; ///< host:port under which others reach it; empty: it calls them
    std::int64_t now = 0; ///< Units: seconds since 1970
};

/// What a node asked for when it joined.
struct Joined {
    std::string network;
    std::string node;
    std::vector<std::string> addresses;
};

/// Makes the node's keys, takes free addresses from the join key's pool and asks to be admitted.
/// Killed at any point, it goes on where it was when run again. `requests`: nothing else under way.
/// Errors: invalid (not a token; signatures), conflict (name taken, key expired or used up, no free
/// address, already joined as another), permission, system.
WGKIT_API Result<Joined> join(HttpPoster& requests, std::string_view token,
                              const JoinOptions& options);

/// How an agent runs.
struct AgentOptions {
    std::string folder = default_folder;
    int stop = -1; ///< ends the agent once it is readable
    /// A line about what happens; `is_trouble` tells whether somebody should look.
    std::function<void(bool is_trouble, const std::string& text)> tell;
    std::function<void()> ready; ///< the last state is applied, or there is none yet
};

/// Applies the last good state, then every later one, until `stop`. Goes on without the store.
/// Errors: not_found (not joined), permission, invalid, system: what keeps it from starting.
WGKIT_API Result<void> run_agent(HttpPoster& requests, HttpPoster& watch,
                                 const AgentOptions& options);

} // namespace wgkit::agent
