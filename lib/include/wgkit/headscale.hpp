#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/http.hpp"
#include "wgkit/monitor.hpp"

/// The nodes of a Headscale control plane, and which of them are in trouble. Reads its HTTP API as
/// versions 0.16 to 0.29 have it.
namespace wgkit::headscale {

using monitor::Level;
using std::chrono::seconds;
/// Times are Headscale's, by its clock.
using Time = std::chrono::sys_seconds;

/// A route that somebody lets a node have.
struct Route {
    std::string prefix;
    bool advertised = false; ///< the node offers it
    bool served = false;     ///< the node carries its traffic now
};

/// A node as Headscale reports it.
struct Node {
    std::string id;
    std::string name; ///< its label in DNS
    std::string user;
    std::optional<PublicKey> key; ///< of WireGuard
    std::vector<std::string> addresses;
    std::vector<std::string> tags; ///< without "tag:"
    bool online = false;
    std::optional<Time> last_seen; ///< since 0.23 when it was last connected; none: never
    std::optional<Time> expiry;    ///< none: never
    std::optional<Time> created;
    std::vector<Route> routes; ///< those that are approved
};

/// One look at a control plane.
struct Snapshot {
    Time now{};             ///< by its clock
    std::string version;    ///< empty: it does not tell, as before 0.27
    bool heartbeat = false; ///< before 0.23: last_seen grows while a node is connected
    std::vector<Node> nodes;
    std::optional<Time> key_expiry; ///< of the API key that asked
};

/// How a server is reached.
struct Access {
    std::string url;  ///< of the server, e.g. "https://headscale.example.com"
    SecretString key; ///< an API key
    std::string ca_file;
    std::chrono::milliseconds timeout{15'000};
};

/// What `Access::url` must be. Errors: invalid, e.g. a password in it.
WGKIT_API Result<void> check_url(std::string_view url);

/// Asks for nodes, routes, API keys and the version. `now`: this machine's time, for servers that
/// do not tell theirs. Answers are bounded, and wiped, because they hold live pre-auth keys.
/// Errors: permission (the key is not taken), not_found (no Headscale), invalid (another form),
/// system (not reached).
WGKIT_API Result<Snapshot> look(HttpPoster& poster, const Access& access, Time now);

/// The answers' texts as data. Errors: invalid, without the text.
WGKIT_API Result<std::vector<Node>> parse_nodes(std::string_view json);
/// Adds the routes of /api/v1/routes, which 0.25 and older have.
WGKIT_API Result<void> add_routes(std::string_view json, std::vector<Node>& nodes);
/// When the key of this prefix expires.
WGKIT_API Result<std::optional<Time>> parse_key_expiry(std::string_view json, std::string_view key);

/// What is wrong with a node, if anything.
enum class Verdict : std::uint8_t {
    online,
    offline,  ///< not connected
    expired,  ///< its key has expired: nobody lets it in
    expiring, ///< its key will expire soon
    never,    ///< registered long ago, never connected
    unserved, ///< a route that was approved and that nobody serves
};
inline constexpr std::size_t verdict_count = 6;

/// What is remembered of a node between two looks.
struct NodeState {
    std::string id;
    Verdict verdict = Verdict::online;
    Level level = Level::ok;
    std::string reason;
    Time since{};        ///< of the verdict
    bool online = false; ///< as Headscale said
    Time seen_online{};  ///< the last look that said so
    bool operator==(const NodeState&) const = default;
};

/// All nodes went offline together, which means the control plane.
struct Restart {
    Time noticed{};
    Time before{}; ///< the last look at which nodes were online
    bool operator==(const Restart&) const = default;
};

/// All that is kept between two runs. Holds no secret.
struct State {
    Time now{};
    std::optional<Restart> restart; ///< while nodes are given time to come back
    std::vector<NodeState> nodes;   ///< in the snapshot's order
    bool operator==(const State&) const = default;
};

/// From when on something is trouble.
struct Limits {
    seconds grace{300};       ///< offline that long is no trouble; also after a restart
    seconds warn{14 * 86400}; ///< before something expires
    seconds alarm{3 * 86400};
};

/// The next state. Pure. `policy`: what is expected of nodes, by their keys.
WGKIT_API State observe(const State& previous, const Snapshot& snapshot,
                        const monitor::Policy& policy, const Limits& limits);

/// Trouble with the control plane itself.
struct Finding {
    std::string type;        ///< "restarted", "key_expiring"
    Level level = Level::ok; ///< of this run
    bool lasts = false;      ///< until it is over, also in runs that no longer say so
    std::string text;
};
/// Always the same types, well or not. `previous`: what the last run left.
WGKIT_API std::vector<Finding> findings(const State& previous, const State& state,
                                        const Snapshot& snapshot, const Limits& limits);

/// The word for people, JSON and labels.
WGKIT_API std::string_view to_string(Verdict verdict);

/// The state file's text: versioned and checksummed.
WGKIT_API std::string to_text(const State& state);
/// Errors: invalid.
WGKIT_API Result<State> parse_state(std::string_view text);

/// All that was found, for the formats.
struct Told {
    const Snapshot& snapshot;
    const State& state;
    std::vector<Finding> findings;
    std::string server; ///< its URL

    /// The worst of all nodes and of the server.
    WGKIT_API Level level() const;
};
/// A line for each node in trouble; nothing if all is well.
WGKIT_API std::string trouble_text(const Told& told);
/// All nodes, a line each.
WGKIT_API std::string table_text(const Told& told, bool colour);
/// One JSON document or, with `lines`, one for each node.
WGKIT_API std::string to_json(const Told& told, bool lines);
/// Status line and performance data (Monitoring Plugins guidelines).
WGKIT_API std::string to_nagios(const Told& told);
/// Metrics in Prometheus' text format.
WGKIT_API std::string to_prometheus(const Told& told);
/// As wgkit-alert(1) reads them.
WGKIT_API std::string to_alert_events(const Told& told);
/// The one event of a run that saw nothing.
WGKIT_API std::string to_alert_event(const std::string& server, const Error& error, Time now);

} // namespace wgkit::headscale
