#include "net/device_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "net/fields.hpp"

namespace wgkit::tool::net {

namespace {

/// A session ends so long after its handshake; later data begins a new one (Reject-After-Time,
/// section 6.1 of the paper).
constexpr std::int64_t session_seconds = 180;

enum class State { alive, silent, never };

State state_of(const DevicePeer& peer, std::int64_t now) {
    if (peer.last_handshake_seconds == 0) return State::never;
    return now - peer.last_handshake_seconds <= session_seconds ? State::alive : State::silent;
}

std::string state_text(State state, bool colour) {
    constexpr std::array words{"alive", "silent", "never connected"};
    constexpr std::array colours{"32", "33", "2"};
    const auto index = static_cast<std::size_t>(state);
    return colour ? fmt::format("\033[{}m{}\033[0m", colours.at(index), words.at(index))
                  : words.at(index);
}

/// The two largest units, e.g. "2 days, 3 hours ago".
std::string ago(std::int64_t when, std::int64_t now) {
    if (when > now) return fmt::format("in {} seconds: the clock was set back", when - now);
    if (when == now) return "now";
    struct Unit {
        const char* name;
        std::int64_t seconds;
    };
    constexpr std::array units{Unit{"day", 86400}, Unit{"hour", 3600}, Unit{"minute", 60},
                               Unit{"second", 1}};
    std::int64_t left = now - when;
    std::string text;
    int parts = 0;
    for (const auto& unit : units) {
        const std::int64_t count = left / unit.seconds;
        left %= unit.seconds;
        if (count == 0 && parts == 0) continue;
        if (count != 0)
            text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", count, unit.name,
                                count == 1 ? "" : "s");
        if (++parts == 2) break;
    }
    return text + " ago";
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    return fmt::format("{:.2f} {}", value, units.at(unit));
}

template <class Key>
SecretString secret(const Key& key, bool show) {
    return show ? reveal_base64(key) : SecretString("(hidden)");
}

void add_line(SecretString& text, std::string_view indent, std::string_view label,
              std::string_view value) {
    constexpr std::size_t width = 18;
    text.append(indent).append(label).append(width - label.size(), ' ');
    text.append(value).append("\n");
}

std::string heading(std::string_view text, bool colour) {
    return colour ? fmt::format("\033[1m{}\033[0m", text) : std::string(text);
}

std::string peers_text(const Device& device, std::int64_t now) {
    std::array<std::size_t, 3> counts{};
    for (const auto& peer : device.peers)
        ++counts.at(static_cast<std::size_t>(state_of(peer, now)));
    std::string text = fmt::format("{}", device.peers.size());
    const char* separator = ": ";
    for (const State state : {State::alive, State::silent, State::never}) {
        const auto count = counts.at(static_cast<std::size_t>(state));
        if (count == 0) continue;
        text += fmt::format("{}{} {}", separator, count, state_text(state, false));
        separator = ", ";
    }
    return text;
}

void add_peer(SecretString& text, const DevicePeer& peer, const TextStyle& style) {
    constexpr std::string_view indent = "    ";
    const State state = state_of(peer, style.now);
    text.append(fmt::format("\n  peer {}  {}\n", heading(to_string(peer.public_key), style.colour),
                            state_text(state, style.colour)));
    if (peer.preshared_key)
        add_line(text, indent, "preshared key", secret(*peer.preshared_key, style.show_secrets));
    if (peer.endpoint) add_line(text, indent, "endpoint", to_string(*peer.endpoint));
    add_line(text, indent, "allowed ips",
             peer.allowed_ips.empty() ? SecretString("(none)") : joined(peer.allowed_ips, ", "));
    if (state != State::never)
        add_line(text, indent, "latest handshake", ago(peer.last_handshake_seconds, style.now));
    if (peer.rx_bytes != 0 || peer.tx_bytes != 0)
        add_line(text, indent, "transfer",
                 fmt::format("{} received, {} sent", bytes_text(peer.rx_bytes),
                             bytes_text(peer.tx_bytes)));
    if (peer.persistent_keepalive != 0)
        add_line(text, indent, "keepalive",
                 fmt::format("every {} second{}", peer.persistent_keepalive,
                             peer.persistent_keepalive == 1 ? "" : "s"));
}

} // namespace

void add_text(SecretString& text, const Device& device, const TextStyle& style) {
    constexpr std::string_view indent = "  ";
    text.append("interface ").append(heading(device.name, style.colour)).append("\n");
    add_line(text, indent, "public key",
             device.public_key ? to_string(*device.public_key) : "(none)");
    if (device.private_key)
        add_line(text, indent, "private key", secret(*device.private_key, style.show_secrets));
    if (device.listen_port != 0)
        add_line(text, indent, "listening port", fmt::format("{}", device.listen_port));
    if (device.fwmark != 0) add_line(text, indent, "firewall mark", fwmark_text(device.fwmark));
    add_line(text, indent, "peers", peers_text(device, style.now));
    std::vector<const DevicePeer*> peers;
    peers.reserve(device.peers.size());
    for (const auto& peer : device.peers) peers.push_back(&peer);
    std::stable_sort(peers.begin(), peers.end(), [](const DevicePeer* a, const DevicePeer* b) {
        return a->last_handshake_seconds > b->last_handshake_seconds;
    });
    for (const DevicePeer* peer : peers) add_peer(text, *peer, style);
}

} // namespace wgkit::tool::net
