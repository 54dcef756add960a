#include "rotate/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "util/interface_name.hpp"

namespace wgkit::rotate {

namespace {

PresharedKey no_preshared_key() {
    const std::array<std::uint8_t, key_bytes> zeros{};
    return PresharedKey(zeros);
}

template <class Peers>
auto find_peer(Peers& peers, const PublicKey& key) {
    return std::find_if(peers.begin(), peers.end(),
                        [&key](const auto& peer) { return peer.public_key == key; });
}

WantedPeer wanted_of(const DevicePeer& peer) {
    WantedPeer out;
    out.public_key = peer.public_key;
    out.preshared_key = peer.preshared_key ? peer.preshared_key->clone() : no_preshared_key();
    if (peer.endpoint)
        if (auto endpoint = Endpoint::parse(to_string(*peer.endpoint))) out.endpoint = *endpoint;
    out.persistent_keepalive = peer.persistent_keepalive;
    out.allowed_ips = peer.allowed_ips;
    return out;
}

Result<void> check_offer(const State& state, const Offer& offer) {
    const auto own = offer_of(state);
    if (offer.current == own.current || offer.second == own.second)
        return Error{Errc::invalid, "this is the offer of this end",
                     "accept takes the offers of the other ends"};
    if (offer.second_port == 0)
        return Error{Errc::invalid,
                     fmt::format("the offer of {} has no port", to_string(offer.current)),
                     {}};
    return {};
}

/// The peer of the second device; where the first is reached, with the other port.
WantedPeer second_of(const WantedPeer& first, const Offer& offer) {
    WantedPeer out = copy_of(first);
    out.public_key = offer.second;
    out.endpoint.reset();
    if (offer.second_host)
        out.endpoint = Endpoint{*offer.second_host, offer.second_port};
    else if (first.endpoint)
        out.endpoint = Endpoint{first.endpoint->host, offer.second_port};
    out.persistent_keepalive = audible_seconds;
    return out;
}

} // namespace

Result<State> begin(const Device& present, const InterfaceFile& file, const Options& options) {
    if (!present.private_key)
        return Error{Errc::invalid, fmt::format("{} has no private key", file.interface), {}};
    State state;
    state.interface = file.interface;
    state.file = file.path;
    state.second_name = options.second.empty() ? file.interface + "-2" : options.second;
    if (!is_interface_name(state.second_name) || state.second_name == file.interface)
        return Error{Errc::invalid,
                     fmt::format("{} can be no name of a second device", state.second_name),
                     "--second gives it another name of at most 15 characters"};
    state.before.private_key = present.private_key->clone();
    state.after.private_key =
        options.keep_key ? present.private_key->clone() : generate_private_key();
    state.second.private_key = generate_private_key();
    state.second.listen_port = options.port != 0 ? options.port : second_port(present.listen_port);
    state.second.fwmark = present.fwmark;
    return state;
}

Offer offer_of(const State& state) {
    Offer offer;
    offer.interface = state.interface;
    offer.current = public_key(*state.before.private_key);
    offer.next = public_key(*state.after.private_key);
    offer.second = public_key(*state.second.private_key);
    offer.second_port = state.second.listen_port.value_or(0);
    return offer;
}

Result<void> add_offer(State& state, const Device& present, Offer offer) {
    if (auto good = check_offer(state, offer); !good) return good;
    auto& all = state.before.peers;
    auto at = find_peer(all, offer.current);
    const auto index = static_cast<std::size_t>(at - all.begin());
    if (state.phase != Phase::prepared) {
        const bool same = at != all.end() && state.after.peers[index].public_key == offer.next
                          && state.second.peers[index].public_key == offer.second;
        if (same) return {};
        return Error{Errc::conflict,
                     fmt::format("it is too late for the offer of {}: {} has switched",
                                 to_string(offer.current), state.interface),
                     "let this rotation end first"};
    }
    if (at == all.end()) {
        const auto peer = find_peer(present.peers, offer.current);
        if (peer == present.peers.end())
            return Error{
                Errc::not_found,
                fmt::format("{} has no peer {}", state.interface, to_string(offer.current)),
                "the offer is another interface's, or of an earlier rotation"};
        all.push_back(wanted_of(*peer));
        state.after.peers.emplace_back();
        state.second.peers.emplace_back();
    }
    const WantedPeer& before = all.at(index);
    WantedPeer after = copy_of(before);
    after.public_key = offer.next;
    auto& known = state.after.peers.at(index); // with the preshared key of an earlier accept
    if (offer.preshared_key)
        after.preshared_key = std::move(offer.preshared_key);
    else if (known.preshared_key)
        after.preshared_key = std::move(known.preshared_key);
    const bool same_key = equal(*state.before.private_key, *state.after.private_key);
    if (same_key && offer.next == offer.current
        && equal(*after.preshared_key, *before.preshared_key))
        return Error{
            Errc::invalid,
            fmt::format("neither this end nor {} gets a new key", to_string(offer.current)),
            "at least one of both prepares without --keep-key, or gives a preshared key"};
    state.second.peers.at(index) = second_of(after, offer);
    known = std::move(after);
    return {};
}

std::vector<PublicKey> left_behind(const State& state, const Device& present) {
    std::vector<PublicKey> out;
    if (equal(*state.before.private_key, *state.after.private_key)) return out;
    for (const auto& peer : present.peers)
        if (find_peer(state.before.peers, peer.public_key) == state.before.peers.end()
            && find_peer(state.after.peers, peer.public_key) == state.after.peers.end())
            out.push_back(peer.public_key);
    return out;
}

bool has_wanted_keys(const State& state, const Device& present) {
    const WantedDevice& wanted = state.wanted();
    if (present.public_key != public_key(*wanted.private_key)) return false;
    for (std::size_t i = 0; i < wanted.peers.size(); ++i) {
        const WantedPeer& peer = wanted.peers[i];
        const auto at = find_peer(present.peers, peer.public_key);
        if (at == present.peers.end()) return false;
        const bool same_psk = at->preshared_key ? equal(*at->preshared_key, *peer.preshared_key)
                                                : is_zero(*peer.preshared_key);
        const PublicKey& other = state.unwanted().peers[i].public_key;
        if (!same_psk
            || (other != peer.public_key && find_peer(present.peers, other) != present.peers.end()))
            return false;
    }
    return true;
}

} // namespace wgkit::rotate
