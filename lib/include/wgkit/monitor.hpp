#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/device.hpp"
#include "wgkit/export.hpp"
#include "wgkit/files.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// Which WireGuard peers are really dead. Samples of counters go in, verdicts come out; nothing
/// here does I/O but the functions for the state file. wgkit-monitor(1) has the rules in words.
namespace wgkit::monitor {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What the samples say of a peer.
enum class Verdict : std::uint8_t {
    never,       ///< no handshake was ever completed
    up,          ///< a session is alive
    idle,        ///< no session, and nothing that asks for one
    unreachable, ///< what was sent should have been answered and was not
    mute,        ///< this side should send keepalives and sends nothing
    lost,        ///< the peer's own keepalives stopped
    stale,       ///< expected up, but the last handshake is too old
    no_data,     ///< a session is alive, but a probe through it was not answered
    clock,       ///< the last handshake is in the future
    reset,       ///< counters began anew
};
inline constexpr std::size_t verdict_count = 10;

/// Exit statuses and states of the Monitoring Plugins.
enum class Level : std::uint8_t { ok = 0, warning = 1, critical = 2, unknown = 3 };

/// What decided; `reason` puts it in words.
enum class Cause : std::uint8_t {
    fresh,
    quiet,
    no_handshake,
    asked_in_vain,    ///< no handshake yet, initiations unanswered
    unconfirmed,      ///< the peer's initiations arrive, our answers lead to no session
    initiations,      ///< unanswered initiations
    data,             ///< unanswered data
    cadence,          ///< keepalives that came regularly stopped
    nothing_sent,     ///< keepalives that should go out do not
    too_old,          ///< age above the limit
    from_the_future,  ///< handshake later than now
    counters_fell,    ///< received or sent bytes decreased
    probe_unanswered, ///< see no_data
    receiving,        ///< an engine without accounting of handshakes, but data comes in
};
inline constexpr std::size_t cause_count = 14;

/// A moment on three clocks, because each may jump: the wall clock (since 1970), the time since
/// boot with suspended time, and without it.
struct Instant {
    milliseconds wall{};
    milliseconds boot{};
    milliseconds awake{};
    std::string boot_id; ///< empty: unknown, the clocks since boot say nothing
};

/// An echo through the tunnel.
enum class Probe : std::uint8_t { none, answered, unanswered };
inline constexpr std::size_t probe_count = 3;

/// A peer's counters at one time.
struct PeerSample {
    PublicKey key;
    std::string endpoint;    ///< empty: none
    std::string allowed_ips; ///< separated by commas
    std::uint16_t keepalive = 0;
    std::int64_t handshake =
        0; ///< as the engine tells it: since 1970, or elapsed seconds; 0: never
    std::uint64_t rx = 0;
    std::uint64_t tx = 0;
    std::string psk = {}; ///< fingerprint of the preshared key; empty: none
    Probe probe = Probe::none;
};

/// A device and its peers at one time.
struct DeviceSample {
    std::string netns; ///< empty: this process's
    std::string interface;
    std::optional<PublicKey> public_key;
    std::vector<PeerSample> peers;
};

/// What a device says of itself, without its secrets.
WGKIT_API DeviceSample to_sample(const Device& device, const std::string& netns = {});

/// Reads the output of `wg show all dump` or `wg show IFACE dump`; the latter names no interface,
/// which then is `interface`. Secret fields are skipped. Errors: invalid, with the line's number
/// and never its text.
WGKIT_API Result<std::vector<DeviceSample>> parse_dump(std::string_view text,
                                                       const std::string& interface = "wg");

/// The names that comments give to peers in a file of wg-quick: in a section `[Peer]`, before the
/// key, a comment of one word, `# Name = NAME` or `# friendly_name = NAME`.
WGKIT_API std::map<PublicKey, std::string> names_in_config(std::string_view text);

/// One look at a peer's counters. `t` is the monitor's own time, which no clock step moves.
struct Look {
    milliseconds t{};
    std::int64_t handshake = 0; ///< since 1970; 0: never
    std::uint64_t rx = 0;
    std::uint64_t tx = 0;

    auto operator<=>(const Look&) const = default;
};

/// What was sent since the peer was last heard.
struct Silence {
    milliseconds since{};     ///< the look at which it had been heard
    milliseconds last_sent{}; ///< the look at which the last byte had been sent; 0: none
    milliseconds asked{};     ///< the look at which data, not keepalives, had been sent; 0: none
    std::uint32_t initiations = 0; ///< at least so many
    std::uint32_t unconfirmed = 0; ///< initiations of the peer that were answered and led nowhere
    bool early = false;            ///< an initiation that only unanswered data can have caused
    bool overdue = false; ///< data that must have been sent long ago, for its session has ended

    auto operator<=>(const Silence&) const = default;
};

/// The peer's own keepalives, learned from what comes in while nothing goes out.
struct Cadence {
    std::uint32_t count = 0;  ///< keepalives seen
    milliseconds during{};    ///< the time they took
    milliseconds last_rx{};   ///< the look at which the peer had last been heard; 0: never
    milliseconds last_data{}; ///< the look at which data had last been sent
    bool pure = false;        ///< only keepalives since last_rx

    /// The interval, once enough of them were seen.
    WGKIT_API std::optional<milliseconds> interval() const;
    auto operator<=>(const Cadence&) const = default;
};

/// What the operator expects of a peer.
enum class Expect : std::uint8_t { automatic, up, roaming, ignore };

/// What is expected of a peer.
struct Rule {
    Expect expect = Expect::automatic;
    std::optional<seconds> max_stale;
    bool strict = false;        ///< the handshake's age decides alone, for every peer
    std::uint32_t bad_runs = 1; ///< so many in a row are trouble, fewer are none yet
    bool probe = false;         ///< while counters say nothing bad of it, ask it for an echo
    bool operator==(const Rule&) const = default;
};

/// All that is kept of a peer between two runs.
struct PeerState {
    PublicKey key;
    std::string name;
    std::string endpoint;
    std::string allowed_ips;
    std::string psk; ///< fingerprint of the preshared key; empty: none
    std::uint16_t keepalive = 0;
    std::vector<Look> looks;     ///< oldest first, at least min_step apart, at most max_looks
    milliseconds handshake_at{}; ///< of the last handshake, in the monitor's time; 0: never
    Silence silence;
    Cadence cadence;
    bool elapsed = false;   ///< the engine tells elapsed seconds instead of a time
    bool uncounted = false; ///< the engine does not count handshake messages
    Verdict verdict = Verdict::never;
    Cause cause = Cause::no_handshake;
    Level level = Level::ok;
    Rule rule;                       ///< by which it was judged
    milliseconds since{};            ///< of the verdict
    milliseconds seen{};             ///< the last run whose samples had it
    std::uint32_t bad_runs = 0;      ///< runs in a row with trouble
    std::vector<milliseconds> turns; ///< when it last went to or from trouble
    Probe probe = Probe::none;       ///< of the last run

    bool operator==(const PeerState&) const = default;
};

inline constexpr std::size_t max_looks = 8;
/// A run that comes sooner does not move what the next is compared with.
inline constexpr seconds min_step{10};
/// No trouble is told from looks that are closer.
inline constexpr seconds min_span{16};

/// How old a handshake may get while all is well: rekeying comes 120 s after a handshake, with the
/// next keepalive.
WGKIT_API seconds healthy_age(std::uint16_t keepalive);
/// The age from which a handshake is too old: the rule's, but never below what is healthy.
WGKIT_API seconds stale_limit(const Rule& rule, std::uint16_t keepalive);
/// As above, where the peer's own keepalives, if they are rarer, count as well.
WGKIT_API seconds stale_limit(const Rule& rule, const PeerState& state);
/// Whether the peer should always be up: as the rule says; automatically, if this side knows where
/// it is and keeps it alive, or if the peer's own keepalives have been learned.
WGKIT_API bool is_expected_up(const PeerState& state, const Rule& rule);

/// A verdict and what it rests on.
struct Judgement {
    Verdict verdict = Verdict::never;
    Cause cause = Cause::no_handshake;
    Level level = Level::ok;
};

/// The next state of a peer. Pure. `wall`: now by the wall clock, for handshakes in the future.
/// `resumed`: this machine slept since the last look, so silence meanwhile proves nothing.
WGKIT_API PeerState update(PeerState previous, const PeerSample& sample, milliseconds t,
                           milliseconds wall, const Rule& rule, bool resumed = false);

/// What is remembered of a device between two looks.
struct DeviceState {
    std::string netns;
    std::string interface;
    std::optional<PublicKey> public_key;
    milliseconds seen{};
    std::vector<PeerState> peers; ///< in the device's order, then those that vanished
    bool operator==(const DeviceState&) const = default;
};

/// All that is kept between two runs. Holds no secret.
struct State {
    Instant clock;    ///< of the last run
    milliseconds t{}; ///< the monitor's time then: what the wall clock would say without its steps
    std::uint32_t problems = 0; ///< what the last run could not see
    milliseconds succeeded{};   ///< the last run that saw everything; 0: none
    std::vector<DeviceState> devices;
};

/// Which rule and name a peer has.
class Policy {
  public:
    /// The rule for a name or a tag.
    struct Entry {
        std::string name;
        Rule rule;
        std::vector<std::string> tags = {};
        /// Inside, where to probe: the first that is routed to the peer. None: its first allowed
        /// IP that is a single address.
        std::vector<IpAddress> addresses = {};
    };

    Rule otherwise;                     ///< for peers without an entry
    std::map<PublicKey, Entry> entries; ///< by public key
};

/// What one run found out beside the peers' states.
struct Run {
    milliseconds stepped{}; ///< how far the wall clock jumped since the last run
    bool resumed = false;   ///< this machine slept
};

/// Brings the state up to the samples, in place. Peers and devices that are not in them keep their
/// state for a day. Pure.
WGKIT_API Run observe(State& state, const std::vector<DeviceSample>& samples, const Instant& now,
                      const Policy& policy);

/// Takes up samples that were taken a moment after those of the last run: to a peer that got data
/// meanwhile and sent nothing, an answer is due from now on. Without, that is known a run later.
/// Nothing is judged. Pure.
WGKIT_API void glance(State& state, const std::vector<DeviceSample>& samples, const Instant& now);

/// How long to wait before these samples are taken anew and observed, because answers will be
/// overdue then: at most `patience`; 0: nobody's. Pure.
WGKIT_API milliseconds until_due(const State& state, const std::vector<DeviceSample>& samples,
                                 const Instant& now, milliseconds patience);

/// A peer to ask, and where.
struct ProbeTarget {
    std::size_t device; ///< index among the samples
    std::size_t peer;   ///< index in the device
    IpAddress address;
};

/// The peers to ask for an echo before these samples are observed: those that should be up, of
/// which the rule wants it and counters say nothing bad. To others a packet would ask for a new
/// handshake, or for somebody who may be away. Pure.
WGKIT_API std::vector<ProbeTarget> to_probe(const State& state,
                                            const std::vector<DeviceSample>& samples,
                                            const Instant& now, const Policy& policy);

/// Notes what the run could not see.
WGKIT_API void note_problems(State& state, std::size_t count);

/// Whether the peer was in the last run's samples.
WGKIT_API bool is_present(const State& state, const PeerState& peer);
/// Whether it goes up and down too often to be told each time.
WGKIT_API bool is_flapping(const PeerState& peer, milliseconds t);
/// A time of the monitor as the wall clock would have said it.
WGKIT_API milliseconds wall_of(const State& state, milliseconds t);

/// The word for people, JSON and labels.
WGKIT_API std::string_view to_string(Verdict verdict);
/// Nothing if it is no such word.
WGKIT_API std::optional<Verdict> parse_verdict(std::string_view word);
/// The word for people, JSON and labels.
WGKIT_API std::string_view to_string(Level level);
/// The word for people, JSON and labels.
WGKIT_API std::string_view to_string(Cause cause);
/// The word for people, JSON and labels.
WGKIT_API std::string_view to_string(Expect expect);
/// The word for JSON.
WGKIT_API std::string_view to_string(Probe probe);
/// The verdict in words, with figures, e.g. "3 handshake initiations unanswered for 42 s".
WGKIT_API std::string reason(const PeerState& peer, milliseconds t, const Rule& rule);

/// The state file's text: versioned and checksummed.
WGKIT_API std::string to_text(const State& state);
/// The same, piece by piece.
WGKIT_API void write_text(const State& state, const files::Sink& to);
/// Errors: invalid (another version, a wrong checksum, a malformed line).
WGKIT_API Result<State> parse_state(std::string_view text);

} // namespace wgkit::monitor
