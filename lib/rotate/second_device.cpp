#include "rotate/second_device.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "device/tunnel_link.hpp"
#include "netlink/addresses.hpp"
#include "netlink/links.hpp"
#include "netlink/routes.hpp"
#include "rotate/filter.hpp"
#include "rotate/routes.hpp"
#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"
#include "wgkit/files.hpp"
#include "wgkit/host.hpp"

namespace wgkit::rotate {

namespace {

/// A session is used no longer after its handshake (Reject-After-Time, section 6.1 of the paper).
constexpr std::int64_t session_seconds = 180;
constexpr int strict = 1;
constexpr char loose = '2';
constexpr std::uint8_t by_kernel = 2; ///< RTPROT_KERNEL

std::string rp_filter_path(const std::string& interface) {
    return fmt::format("/proc/sys/net/ipv4/conf/{}/rp_filter", interface);
}

std::optional<int> read_rp_filter(const std::string& interface) {
    const auto text = files::read(rp_filter_path(interface));
    if (!text) return std::nullopt; // no IPv4
    const auto value = ascii::to_number(ascii::trim(*text), 9);
    return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
}

void write_rp_filter(const std::string& interface, char value) {
    const UniqueFd fd(::open(rp_filter_path(interface).c_str(), O_WRONLY | O_CLOEXEC));
    if (fd) (void)!::write(fd.get(), &value, 1); // where it cannot be set, nothing filters
}

bool is_link_local(const IpAddress& address) {
    const auto bytes = address.bytes();
    return !address.is_v4() && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool is_listed(std::span<const WantedPeer> peers, const PublicKey& key) {
    return std::any_of(peers.begin(), peers.end(),
                       [&key](const WantedPeer& peer) { return peer.public_key == key; });
}

/// The device as the record has it; peers' endpoints are looked up.
WantedDevice wanted_second(const State& state) {
    WantedDevice wanted;
    wanted.private_key = state.second.private_key->clone();
    wanted.listen_port = state.second.listen_port;
    wanted.fwmark = state.second.fwmark;
    for (const auto& peer : state.second.peers) {
        wanted.peers.push_back(copy_of(peer));
        // Back on the interface: who still sends here is to be heard, nobody else.
        if (state.phase == Phase::returned) wanted.peers.back().persistent_keepalive = 0;
    }
    return wanted;
}

Result<void> configure_second(const State& state) {
    auto backend = open_device(state.second_name);
    if (!backend) return backend.error();
    const auto present = (*backend)->get();
    if (!present) return present.error();
    WantedDevice wanted = wanted_second(state);
    const DiffOptions options{.now = std::time(nullptr)};
    for (WantedPeer* peer : peers_to_look_up(wanted, *present, options)) {
        auto address = look_up(*peer->endpoint);
        if (!address) return address.error();
        peer->address = *address;
    }
    return set_all(**backend, diff(wanted, *present, options));
}

Result<void> address_second(const State& state) {
    const auto first = read_host_state(state.interface, 0);
    if (!first) return first.error();
    const auto present = read_host_state(state.second_name, 0);
    if (!present) return present.error();
    HostState wanted;
    wanted.is_up = true;
    wanted.mtu = first->mtu;
    for (const auto& address : first->addresses)
        if (!is_link_local(address.address))
            wanted.addresses.push_back(Prefix::host(address.address));
    for (const auto& step : diff(wanted, *present, {}))
        if (auto done = apply_step(step, state.second_name); !done) return done;
    return {};
}

/// An address that packets to a prefix may have: its own may be a broadcast or anycast address.
IpAddress address_in(const Prefix& prefix) {
    if (prefix.length == prefix.address.bits()) return prefix.address;
    const auto bytes = prefix.masked().address.bytes();
    std::vector<std::uint8_t> next(bytes.begin(), bytes.end());
    next.back() |= 1;
    return IpAddress::from_bytes(prefix.address.family(), next);
}

struct Links {
    netlink::Socket socket;
    std::uint32_t first = 0;
    std::uint32_t second = 0; ///< 0: not there
};

Result<Links> find_links(const State& state) {
    auto socket = netlink::Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    socket->filter_dumps();
    const auto first = netlink::find_link(*socket, state.interface);
    if (!first) return first.error();
    const auto second = netlink::find_link(*socket, state.second_name);
    if (!second) return second.error();
    if (!*first)
        return Error{Errc::not_found, fmt::format("no interface {}", state.interface),
                     fmt::format("wgkit net up {} brings it up", state.file)};
    return Links{std::move(*socket), (*first)->index, *second ? (*second)->index : 0};
}

Result<std::vector<HostRoute>> routes_of_second(Links& links) {
    std::vector<HostRoute> out;
    if (links.second == 0) return out;
    const auto all = netlink::read_routes(links.socket, links.second);
    if (!all) return all.error();
    for (const auto& route : *all)
        if (route.protocol != by_kernel) out.push_back(route);
    return out;
}

} // namespace

Result<void> bring_up_second(const State& state) {
    auto socket = netlink::Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    const auto link = netlink::find_link(*socket, state.second_name);
    if (!link) return link.error();
    if (!*link)
        if (auto made = make_tunnel_link(*socket, state.second_name, [](const auto&) {}); !made)
            return made;
    loosen_rp_filters(state);
    if (auto open = open_filter(state); !open) return open;
    if (auto configured = configure_second(state); !configured) return configured;
    return address_second(state);
}

Result<void> remove_second(const State& state) {
    auto socket = netlink::Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    return delete_tunnel_link(*socket, state.second_name);
}

Result<bool> is_link(const std::string& name) {
    auto socket = netlink::Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    const auto link = netlink::find_link(*socket, name);
    if (!link) return link.error();
    return link->has_value();
}

Result<void> note_rp_filters(State& state) {
    // What holds is the larger one of `all` and the interface's own.
    const auto all = read_rp_filter("all");
    const auto own = read_rp_filter(state.interface);
    if (all && own && std::max(*all, *own) == strict)
        state.rp_filters.push_back({state.interface, *own});
    return {};
}

void loosen_rp_filters(const State& state) {
    for (const auto& filter : state.rp_filters) {
        write_rp_filter(filter.interface, loose);
        write_rp_filter(state.second_name, loose);
    }
}

void restore_rp_filters(const State& state) {
    for (const auto& filter : state.rp_filters)
        write_rp_filter(filter.interface, static_cast<char>('0' + filter.value));
}

Result<void> put_routes(const State& state, const Device& interface) {
    auto links = find_links(state);
    if (!links) return links.error();
    if (links->second == 0)
        return Error{Errc::not_found, fmt::format("no interface {}", state.second_name), {}};
    const auto present = netlink::read_routes(links->socket, links->first);
    if (!present) return present.error();
    const auto own = netlink::read_addresses(links->socket, links->first);
    if (!own) return own.error();
    std::vector<Prefix> moving;
    std::vector<Prefix> staying;
    for (const auto& peer : state.before.peers)
        moving.insert(moving.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
    for (const auto& peer : interface.peers)
        if (!is_listed(state.before.peers, peer.public_key)
            && !is_listed(state.after.peers, peer.public_key))
            staying.insert(staying.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
    for (const auto& [route, is_part] : second_routes(*present, moving, staying)) {
        const auto path = netlink::find_path(links->socket, address_in(route.destination));
        if (!path) return path.error();
        const bool leads_there =
            *path && ((*path)->link == links->first || (*path)->link == links->second);
        if (is_part && !leads_there) continue;
        std::optional<IpAddress> source;
        if (*path && (*path)->source
            && std::any_of(own->begin(), own->end(), [&path](const Prefix& address) {
                   return address.address == *(*path)->source;
               }))
            source = (*path)->source;
        if (auto put = netlink::put_route_before(links->socket, links->second, route, source); !put)
            return put;
    }
    return {};
}

Result<std::size_t> count_routes(const State& state) {
    auto links = find_links(state);
    if (!links) return links.error();
    const auto routes = routes_of_second(*links);
    if (!routes) return routes.error();
    return routes->size();
}

Result<void> take_routes(const State& state) {
    auto links = find_links(state);
    if (!links) return links.error();
    const auto routes = routes_of_second(*links);
    if (!routes) return routes.error();
    for (const auto& route : *routes)
        if (auto gone = netlink::remove_route(links->socket, links->second, route); !gone)
            return gone;
    return {};
}

Result<void> set_keepalive(const std::string& device, std::span<const WantedPeer> peers,
                           std::uint16_t seconds) {
    auto backend = open_device(device);
    if (!backend) return backend.error();
    const auto present = (*backend)->get();
    if (!present) return present.error();
    DeviceChange change;
    for (const auto& peer : present->peers) {
        if (peer.persistent_keepalive == seconds || !is_listed(peers, peer.public_key)) continue;
        change.peers.emplace_back();
        change.peers.back().public_key = peer.public_key;
        change.peers.back().persistent_keepalive = seconds;
    }
    return set_all(**backend, change);
}

Result<std::vector<PublicKey>> peers_without_session(const std::string& device,
                                                     std::span<const WantedPeer> peers) {
    const auto present = read_device(device);
    if (!present) return present.error();
    const std::int64_t now = std::time(nullptr);
    std::vector<PublicKey> out;
    for (const auto& peer : peers) {
        const auto at = std::find_if(
            present->peers.begin(), present->peers.end(),
            [&peer](const DevicePeer& other) { return other.public_key == peer.public_key; });
        if (at == present->peers.end() || now - at->last_handshake_seconds > session_seconds)
            out.push_back(peer.public_key);
    }
    return out;
}

Result<std::vector<std::pair<PublicKey, Heard>>> heard_from(const std::string& device,
                                                            std::span<const WantedPeer> peers) {
    const auto present = read_device(device);
    if (!present) return present.error();
    std::vector<std::pair<PublicKey, Heard>> out;
    for (const auto& peer : present->peers)
        if (is_listed(peers, peer.public_key))
            out.emplace_back(
                peer.public_key,
                Heard{peer.last_handshake_seconds, peer.last_handshake_nanoseconds, peer.rx_bytes});
    return out;
}

bool is_alive(const Heard& before, const Heard& now) {
    constexpr std::uint64_t initiation_bytes = 148; // section 5.4.2 of the paper
    return before.handshake_seconds != now.handshake_seconds
           || before.handshake_nanoseconds != now.handshake_nanoseconds
           || (now.bytes - before.bytes) % initiation_bytes != 0;
}

Result<std::uint64_t> received_bytes(const std::string& device, std::span<const WantedPeer> peers) {
    const auto there = is_link(device);
    if (!there) return there.error();
    if (!*there) return std::uint64_t{0};
    const auto present = read_device(device);
    if (!present) return present.error();
    std::uint64_t sum = 0;
    for (const auto& peer : present->peers)
        if (is_listed(peers, peer.public_key)) sum += peer.rx_bytes;
    return sum;
}

} // namespace wgkit::rotate
