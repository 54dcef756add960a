// How far a rotation is.
#include <algorithm>

#include "rotate/exchange.hpp"
#include "rotate/second_device.hpp"
#include "rotate/state.hpp"

namespace wgkit::rotate {

Result<std::optional<Status>> status(const std::string& interface, const Options& options) {
    const auto loaded = load(interface, options.state_folder);
    if (!loaded) return loaded.error();
    if (!*loaded) return std::optional<Status>();
    const State& state = **loaded;
    Status out;
    out.phase = state.phase;
    out.going_back = state.going_back;
    out.second = state.second_name;
    out.current = public_key(*state.before.private_key);
    out.next = public_key(*state.after.private_key);
    const auto first = read_device(interface);
    if (!first) return first.error();
    out.left_behind = left_behind(state, *first);
    const auto there = is_link(state.second_name);
    if (!there) return there.error();
    out.second_is_there = *there;
    Device second;
    if (*there) {
        auto read = read_device(state.second_name);
        if (!read) return read.error();
        second = *std::move(read);
        const auto routes = count_routes(state);
        if (!routes) return routes.error();
        out.routes = *routes;
    }
    const auto handshake = [](const Device& device, const PublicKey& key) {
        for (const auto& peer : device.peers)
            if (peer.public_key == key) return peer.last_handshake_seconds;
        return std::int64_t{0};
    };
    for (std::size_t i = 0; i < state.before.peers.size(); ++i) {
        PeerStatus peer{state.before.peers[i].public_key, state.after.peers[i].public_key};
        peer.interface_handshake =
            std::max(handshake(*first, peer.current), handshake(*first, peer.next));
        peer.second_handshake = handshake(second, state.second.peers[i].public_key);
        out.peers.push_back(peer);
    }
    return std::optional<Status>(std::move(out));
}

} // namespace wgkit::rotate
