// A running interface written back to its file, whose comments and names of hosts stay.
#include <algorithm>

#include "device/hooks.hpp"
#include "device/record.hpp"
#include "util/link_local.hpp"
#include "wgkit/device.hpp"
#include "wgkit/files.hpp"
#include "wgkit/host.hpp"
#include "wgkit/interface.hpp"

namespace wgkit {

namespace {

void save_addresses(config::Interface& to, const std::vector<Prefix>& present) {
    std::vector<Prefix> addresses;
    const auto is_listed = [&to](const Prefix& address) {
        return std::find(to.addresses.begin(), to.addresses.end(), address) != to.addresses.end();
    };
    for (const auto& address : present)
        if (!is_link_local(address.address) || is_listed(address)) addresses.push_back(address);
    const bool same = addresses.size() == to.addresses.size()
                      && std::all_of(addresses.begin(), addresses.end(), is_listed);
    if (!same) to.addresses = std::move(addresses); // else the file's order stays
}

void save_peer(config::Peer& to, DevicePeer& from) {
    to.preshared_key = std::move(from.preshared_key);
    to.persistent_keepalive.reset();
    if (from.persistent_keepalive != 0)
        to.persistent_keepalive = std::chrono::seconds(from.persistent_keepalive);
    const bool by_name = to.endpoint && !IpAddress::parse(to.endpoint->host);
    if (from.endpoint && !by_name) {
        const auto text = to_string(*from.endpoint);
        if (auto endpoint = Endpoint::parse(text)) to.endpoint = *std::move(endpoint);
    }
    std::vector<Prefix> listed;
    for (const auto& one : to.allowed_ips) listed.push_back(one.prefix.masked());
    std::vector<Prefix> present = from.allowed_ips;
    std::sort(listed.begin(), listed.end());
    std::sort(present.begin(), present.end());
    if (listed == present && to.replace_allowed_ips) return;
    to.replace_allowed_ips = true;
    to.allowed_ips.clear();
    for (const auto& prefix : from.allowed_ips) to.allowed_ips.push_back({prefix});
}

void save_peers(config::Config& to, Device& from) {
    std::erase_if(to.peers, [&from](const config::Peer& peer) {
        return std::none_of(from.peers.begin(), from.peers.end(), [&peer](const DevicePeer& other) {
            return other.public_key == peer.public_key;
        });
    });
    for (auto& peer : from.peers) {
        auto at =
            std::find_if(to.peers.begin(), to.peers.end(), [&peer](const config::Peer& other) {
                return other.public_key == peer.public_key;
            });
        if (at == to.peers.end()) {
            at = to.peers.emplace(to.peers.end());
            at->public_key = peer.public_key;
        }
        save_peer(*at, peer);
    }
}

} // namespace

Result<void> save_interface(const InterfaceFile& file, config::Config& config) {
    auto device = read_device(file.interface);
    if (!device) return device.error();
    const auto host = read_host_state(file.interface, device->fwmark);
    if (!host) return host.error();
    config::Interface& to = config.interface;
    // A key that the node keeps in a file of its own stays there.
    std::vector<std::string> hooks = to.post_up;
    if (!take_key_path(hooks, file.interface)) to.private_key = std::move(device->private_key);
    if (device->listen_port != 0) to.listen_port = device->listen_port;
    // A full tunnel's mark is chosen anew each time, unless the file has one.
    const bool chosen = !to.fw_mark && !host->rules.empty();
    if (!chosen) {
        to.fw_mark.reset();
        if (device->fwmark != 0) to.fw_mark = device->fwmark;
    }
    save_addresses(to, host->addresses);
    if (to.mtu) to.mtu = static_cast<std::uint16_t>(host->mtu);
    save_peers(config, *device);
    return files::replace(file.path, config::write(config), files::mode_of(file.path));
}

} // namespace wgkit
