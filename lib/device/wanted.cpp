#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <memory>

#include "netlink/sockaddr.hpp"
#include "wgkit/config.hpp"
#include "wgkit/device.hpp"

namespace wgkit {

namespace {

/// Where people write who a peer is: behind its header, or behind its key.
std::string name_of(const config::Peer& peer) {
    for (const auto* lines : {&peer.comments.below, &peer.comments.above})
        if (!lines->empty()) return lines->front();
    if (!peer.comments.beside.empty()) return peer.comments.beside;
    const auto* key = peer.origins.find(config::Key::public_key);
    return key != nullptr ? key->comments.beside : std::string();
}

WantedPeer wanted_peer(const config::Peer& peer) {
    WantedPeer wanted;
    wanted.public_key = peer.public_key;
    wanted.name = name_of(peer);
    if (peer.preshared_key) wanted.preshared_key = peer.preshared_key->clone();
    wanted.endpoint = peer.endpoint;
    if (peer.persistent_keepalive)
        wanted.persistent_keepalive =
            static_cast<std::uint16_t>(peer.persistent_keepalive->count());
    wanted.replace_allowed_ips = peer.replace_allowed_ips;
    for (const auto& entry : peer.allowed_ips) {
        auto& list = entry.sign == config::Sign::remove ? wanted.removed_ips : wanted.allowed_ips;
        list.push_back(entry.prefix.masked());
    }
    return wanted;
}

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

} // namespace

WantedDevice wanted_device(const config::Config& config) {
    WantedDevice wanted;
    const auto& interface = config.interface;
    if (interface.private_key) wanted.private_key = interface.private_key->clone();
    wanted.listen_port = interface.listen_port;
    wanted.fwmark = interface.fw_mark;
    wanted.peers.reserve(config.peers.size());
    for (const auto& peer : config.peers) wanted.peers.push_back(wanted_peer(peer));
    return wanted;
}

Result<DeviceEndpoint> look_up(const Endpoint& endpoint) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_protocol = IPPROTO_UDP;
    addrinfo* found = nullptr;
    const int failure = ::getaddrinfo(endpoint.host.c_str(), nullptr, &hints, &found);
    const std::unique_ptr<addrinfo, FreeAddresses> list(found);
    if (failure != 0) {
        const bool unknown = failure == EAI_NONAME || failure == EAI_NODATA || failure == EAI_FAIL;
        return Error{unknown ? Errc::not_found : Errc::system,
                     fmt::format("cannot look up {}: {}", endpoint.host,
                                 failure == EAI_SYSTEM ? "system error" : ::gai_strerror(failure)),
                     {}};
    }
    auto address =
        from_sockaddr({reinterpret_cast<const std::uint8_t*>(list->ai_addr), list->ai_addrlen});
    if (!address) return Error{Errc::system, fmt::format("{} has no address", endpoint.host), {}};
    address->port = endpoint.port;
    return *address;
}

} // namespace wgkit
