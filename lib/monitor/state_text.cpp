#include <fmt/format.h>

#include <algorithm>

#include "util/sealed_text.hpp"
#include "wgkit/monitor.hpp"

// One line for a device, two for a peer; fields are separated by tabs. Times are told as how long
// before the run they were, looks as what changed since the one before, which makes the file of ten
// thousand peers 2 MB, written and read in some 10 ms each.

namespace wgkit::monitor {

namespace {

constexpr std::string_view heading = "wgkit-monitor-state 2";

/// How long before the run; -1 for never.
struct Ages {
    milliseconds run;

    std::int64_t of(milliseconds time) const {
        return time == milliseconds{} ? -1 : (run - time).count();
    }
    milliseconds read(FieldReader& fields) const {
        const auto age = fields.number<std::int64_t>();
        return age == -1 ? milliseconds{} : run - milliseconds(age);
    }
};

/// What is true of a peer, as bits of one number.
class Flags {
  public:
    explicit Flags(unsigned bits = 0) : bits_(bits) {}
    void put(bool value) { bits_ |= static_cast<unsigned>(value) << count_++; }
    void get(bool& value) { value = (bits_ >> count_++ & 1U) != 0; }
    unsigned bits() const { return bits_; }
    /// All of a peer's, in their order.
    template <class Peer, class Each>
    static void each(Peer& peer, Each&& one) {
        one(peer.elapsed);
        one(peer.uncounted);
        one(peer.silence.early);
        one(peer.silence.overdue);
        one(peer.cadence.pure);
        one(peer.rule.strict);
        one(peer.rule.probe);
    }

  private:
    unsigned bits_;
    unsigned count_ = 0;
};

void write(FieldWriter& to, const PeerState& peer, const Ages& ages) {
    const Silence& s = peer.silence;
    const Cadence& c = peer.cadence;
    Flags flags;
    Flags::each(peer, [&](bool value) { flags.put(value); });
    to.line("peer", to_string(peer.key), flags.bits(), peer.keepalive, ages.of(peer.handshake_at),
            static_cast<unsigned>(peer.verdict), static_cast<unsigned>(peer.cause),
            static_cast<unsigned>(peer.level), ages.of(peer.since), ages.of(peer.seen),
            peer.bad_runs, ages.of(s.since), ages.of(s.last_sent), ages.of(s.asked), s.initiations,
            s.unconfirmed, c.count, c.during, ages.of(c.last_rx), ages.of(c.last_data),
            static_cast<unsigned>(peer.rule.expect),
            peer.rule.max_stale ? peer.rule.max_stale->count() : 0, peer.rule.bad_runs,
            static_cast<unsigned>(peer.probe), plain(peer.name), plain(peer.endpoint),
            plain(peer.allowed_ips), plain(peer.psk));
    to.begin("looks");
    Look last;
    for (const auto& look : peer.looks) {
        to.field(last.t == milliseconds{} ? ages.of(look.t) : (look.t - last.t).count());
        to.field(look.handshake - last.handshake);
        to.field(look.rx - last.rx); // both only grow from look to look
        to.field(look.tx - last.tx);
        last = look;
    }
    to.end();
    if (peer.turns.empty()) return;
    to.begin("turns");
    for (const milliseconds turn : peer.turns) to.field(ages.of(turn));
    to.end();
}

void read_peer(FieldReader& fields, const Ages& ages, PeerState& peer) {
    Silence& s = peer.silence;
    Cadence& c = peer.cadence;
    peer.key = fields.key();
    Flags flags(fields.number<unsigned>());
    Flags::each(peer, [&](bool& value) { flags.get(value); });
    peer.keepalive = fields.number<std::uint16_t>();
    peer.handshake_at = ages.read(fields);
    peer.verdict = fields.choice<Verdict>(verdict_count);
    peer.cause = fields.choice<Cause>(cause_count);
    peer.level = fields.choice<Level>(4);
    peer.since = ages.read(fields);
    peer.seen = ages.read(fields);
    peer.bad_runs = fields.number<std::uint32_t>();
    s.since = ages.read(fields);
    s.last_sent = ages.read(fields);
    s.asked = ages.read(fields);
    s.initiations = fields.number<std::uint32_t>();
    s.unconfirmed = fields.number<std::uint32_t>();
    c.count = fields.number<std::uint32_t>();
    c.during = fields.time();
    c.last_rx = ages.read(fields);
    c.last_data = ages.read(fields);
    peer.rule.expect = fields.choice<Expect>(4);
    if (const auto limit = fields.number<std::int64_t>(); limit != 0)
        peer.rule.max_stale = seconds(limit);
    peer.rule.bad_runs = fields.number<std::uint32_t>();
    peer.probe = fields.choice<Probe>(probe_count);
    peer.name = fields.text();
    peer.endpoint = fields.text();
    peer.allowed_ips = fields.text();
    peer.psk = fields.text();
}

bool read_looks(FieldReader& fields, const Ages& ages, PeerState& peer) {
    peer.looks.reserve(max_looks);
    Look last;
    while (fields.more() && !fields.failed()) {
        last.t = last.t == milliseconds{} ? ages.read(fields) : last.t + fields.time();
        last.handshake += fields.number<std::int64_t>();
        last.rx += fields.number<std::uint64_t>();
        last.tx += fields.number<std::uint64_t>();
        peer.looks.push_back(last);
    }
    return peer.looks.size() <= max_looks;
}

bool read_line(FieldReader& fields, std::string_view kind, std::size_t most_peers, State& state) {
    if (kind == "clock") {
        state.clock.wall = fields.time();
        state.clock.boot = fields.time();
        state.clock.awake = fields.time();
        state.clock.boot_id = fields.text();
        state.t = fields.time();
        state.problems = fields.number<std::uint32_t>();
        state.succeeded = fields.time();
        return true;
    }
    if (kind == "device") {
        DeviceState& device = state.devices.emplace_back();
        device.netns = fields.text();
        device.interface = fields.text();
        if (const auto key = PublicKey::parse(fields.text())) device.public_key = *key;
        device.seen = fields.time();
        // Only a hint: a file of this size cannot have more.
        device.peers.reserve(std::min(fields.number<std::size_t>(), most_peers));
        return true;
    }
    if (state.devices.empty()) return false;
    const Ages ages{state.t};
    auto& peers = state.devices.back().peers;
    if (kind == "peer") {
        read_peer(fields, ages, peers.emplace_back());
        return true;
    }
    if (peers.empty()) return false;
    if (kind == "looks") return read_looks(fields, ages, peers.back());
    if (kind != "turns") return false;
    while (fields.more() && !fields.failed()) peers.back().turns.push_back(ages.read(fields));
    return peers.back().turns.size() <= max_looks;
}

Error broken(std::string_view what) { return {Errc::invalid, std::string(what), {}}; }

} // namespace

void write_text(const State& state, const files::Sink& sink) {
    FieldWriter to(sink, heading);
    const Ages ages{state.t};
    to.line("clock", state.clock.wall, state.clock.boot, state.clock.awake,
            plain(state.clock.boot_id), state.t, state.problems, state.succeeded);
    for (const auto& device : state.devices) {
        to.line("device", plain(device.netns), plain(device.interface),
                device.public_key ? to_string(*device.public_key) : std::string(), device.seen,
                device.peers.size());
        for (const auto& peer : device.peers) write(to, peer, ages);
    }
    to.seal();
}

std::string to_text(const State& state) {
    std::string text;
    write_text(state, [&](std::string_view piece) { text += piece; });
    return text;
}

Result<State> parse_state(std::string_view text) {
    const auto unsealed = unseal(text, heading);
    if (!unsealed) return unsealed.error();
    text = *unsealed;
    State state;
    constexpr std::size_t shortest = 80;
    const std::size_t most_peers = text.size() / shortest;
    for (std::size_t line = 2; !text.empty(); ++line) {
        const std::size_t end = text.find('\n');
        FieldReader fields(text.substr(0, end));
        text.remove_prefix(end + 1);
        const std::string_view kind = fields.text();
        if (!read_line(fields, kind, most_peers, state) || fields.failed())
            return broken(fmt::format("line {} of the state file is malformed", line));
    }
    return state;
}

} // namespace wgkit::monitor
