#include <fmt/format.h>

#include <algorithm>

#include "util/sealed_text.hpp"
#include "wgkit/monitor.hpp"

// One line for a device, two for a peer; fields are separated by tabs. Of this the file of ten
// thousand peers is written and read in some 20 ms, which a JSON library would need many times.

namespace wgkit::monitor {

namespace {

constexpr std::string_view heading = "wgkit-monitor-state 1";
constexpr std::size_t line_bytes = 640; ///< of a peer with all its looks, about
void write(FieldWriter& to, const PeerState& peer) {
    const Silence& s = peer.silence;
    const Cadence& c = peer.cadence;
    to.line("peer", to_string(peer.key), peer.keepalive, peer.handshake_at, peer.elapsed,
            peer.uncounted, static_cast<unsigned>(peer.verdict), static_cast<unsigned>(peer.cause),
            static_cast<unsigned>(peer.level), peer.since, peer.seen, peer.bad_runs, s.since,
            s.last_sent, s.asked, s.initiations, s.unconfirmed, s.early, s.overdue, c.count,
            c.during, c.last_rx, c.last_data, c.pure, static_cast<unsigned>(peer.rule.expect),
            peer.rule.max_stale ? peer.rule.max_stale->count() : 0, peer.rule.strict,
            peer.rule.bad_runs, plain(peer.name), plain(peer.endpoint), plain(peer.allowed_ips),
            plain(peer.psk));
    to.begin("looks");
    for (const auto& look : peer.looks) {
        to.field(look.t);
        to.field(look.handshake);
        to.field(look.rx);
        to.field(look.tx);
    }
    to.end();
    if (peer.turns.empty()) return;
    to.begin("turns");
    for (const milliseconds turn : peer.turns) to.field(turn);
    to.end();
}

PeerState read_peer(FieldReader& fields) {
    PeerState peer;
    Silence& s = peer.silence;
    Cadence& c = peer.cadence;
    peer.key = fields.key();
    peer.keepalive = fields.number<std::uint16_t>();
    peer.handshake_at = fields.time();
    peer.elapsed = fields.flag();
    peer.uncounted = fields.flag();
    peer.verdict = fields.choice<Verdict>(verdict_count);
    peer.cause = fields.choice<Cause>(cause_count);
    peer.level = fields.choice<Level>(4);
    peer.since = fields.time();
    peer.seen = fields.time();
    peer.bad_runs = fields.number<std::uint32_t>();
    s.since = fields.time();
    s.last_sent = fields.time();
    s.asked = fields.time();
    s.initiations = fields.number<std::uint32_t>();
    s.unconfirmed = fields.number<std::uint32_t>();
    s.early = fields.flag();
    s.overdue = fields.flag();
    c.count = fields.number<std::uint32_t>();
    c.during = fields.time();
    c.last_rx = fields.time();
    c.last_data = fields.time();
    c.pure = fields.flag();
    peer.rule.expect = fields.choice<Expect>(4);
    if (const auto limit = fields.number<std::int64_t>(); limit != 0)
        peer.rule.max_stale = seconds(limit);
    peer.rule.strict = fields.flag();
    peer.rule.bad_runs = fields.number<std::uint32_t>();
    peer.name = fields.text();
    peer.endpoint = fields.text();
    peer.allowed_ips = fields.text();
    peer.psk = fields.text();
    return peer;
}

bool read_looks(FieldReader& fields, PeerState& peer) {
    peer.looks.reserve(max_looks);
    while (fields.more() && !fields.failed()) {
        Look& look = peer.looks.emplace_back();
        look.t = fields.time();
        look.handshake = fields.number<std::int64_t>();
        look.rx = fields.number<std::uint64_t>();
        look.tx = fields.number<std::uint64_t>();
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
    auto& peers = state.devices.back().peers;
    if (kind == "peer") {
        peers.push_back(read_peer(fields));
        return true;
    }
    if (peers.empty()) return false;
    if (kind == "looks") return read_looks(fields, peers.back());
    if (kind != "turns") return false;
    while (fields.more() && !fields.failed()) peers.back().turns.push_back(fields.time());
    return peers.back().turns.size() <= max_looks;
}

Error broken(std::string_view what) { return {Errc::invalid, std::string(what), {}}; }

} // namespace

std::string to_text(const State& state) {
    FieldWriter to;
    std::size_t count = 0;
    for (const auto& device : state.devices) count += device.peers.size();
    to.reserve((count + 4) * line_bytes);
    to.line(heading);
    to.line("clock", state.clock.wall, state.clock.boot, state.clock.awake,
            plain(state.clock.boot_id), state.t, state.problems, state.succeeded);
    for (const auto& device : state.devices) {
        to.line("device", plain(device.netns), plain(device.interface),
                device.public_key ? to_string(*device.public_key) : std::string(), device.seen,
                device.peers.size());
        for (const auto& peer : device.peers) write(to, peer);
    }
    return seal(std::move(to.text()));
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
