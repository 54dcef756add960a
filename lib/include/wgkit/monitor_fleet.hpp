#pragma once

#include <span>
#include <string>
#include <vector>

#include "wgkit/monitor.hpp"

/// Verdicts from both ends of a tunnel, and over a whole fleet: one cause instead of many peers.
/// Pure.
namespace wgkit::monitor {

/// What both ends together say of a tunnel.
enum class PairVerdict : std::uint8_t {
    connected,
    quiet,   ///< no session, and nobody asks for one
    keys,    ///< one end does not have the other's public key
    psk,     ///< different preshared keys
    forth,   ///< what A sends does not arrive at B
    back,    ///< what B sends does not arrive at A
    cut,     ///< neither way
    session, ///< packets arrive on both sides and lead to no session
    unclear, ///< trouble, and the counters do not say where
};
inline constexpr std::size_t pair_verdict_count = 9;
/// The word for people, JSON and labels.
WGKIT_API std::string_view to_string(PairVerdict verdict);

/// One end of a tunnel, as its own host sees it.
struct PairEnd {
    std::string name;
    const DeviceState* device = nullptr;
    const PeerState* peer = nullptr; ///< the other end; nullptr: it is not among the peers
};

/// A tunnel with both its ends and the verdict.
struct PairJudgement {
    PairEnd a, b;
    PairVerdict verdict = PairVerdict::unclear;
    std::string text; ///< with the names of both
    /// Whether somebody has to look.
    bool is_trouble() const {
        return verdict != PairVerdict::connected && verdict != PairVerdict::quiet;
    }
};

/// First keys, then directions by what was counted lately.
WGKIT_API PairJudgement judge_pair(const PairEnd& a, const PairEnd& b);
/// Every pair of devices of two hosts of which one has the other's public key; if there is none,
/// one that says so.
WGKIT_API std::vector<PairJudgement> compare(const std::string& name_a, const State& a,
                                             const std::string& name_b, const State& b);

/// A host of a fleet and what came from it.
struct FleetHost {
    std::string name;
    std::vector<PublicKey> keys;
    std::optional<State> state; ///< none: it could not be asked
    std::string problem;        ///< why
    bool asked = true;          ///< false: nothing of ours runs there (a phone)
};

/// One thing that is wrong, however many peers it shows on; or that is well.
struct FleetCause {
    std::string key;  ///< the same at every run
    std::string type; ///< "node_down", "pair", "unseen"
    std::string node;
    Level level = Level::ok;
    std::string text;
    std::vector<std::string> details;
    milliseconds since{}; ///< by the wall clock of who saw it first; 0: not known
};

/// All causes, well or not, but for pairs that a dead node explains: of these nothing is told.
WGKIT_API std::vector<FleetCause> judge_fleet(std::span<const FleetHost> hosts);

/// One look or many as JSON, as to_json() writes it. Errors: invalid.
WGKIT_API Result<State> state_from_json(std::string_view text);

} // namespace wgkit::monitor
