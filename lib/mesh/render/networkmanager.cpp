// NetworkManager's keyfile, see nm-settings-keyfile(5) and nm-settings-nmcli(5).
#include <fmt/format.h>

#include "crypto/sha256.hpp"
#include "mesh/render/render.hpp"
#include "mesh/render/routing.hpp"
#include "mesh/render/text.hpp"

namespace wgkit::mesh {

namespace {

/// The connection's identity, which must stay from one rendering to the next: a UUID of version 8
/// (RFC 9562) made of a hash over the names of network and node.
std::string uuid_of(const NodeView& view) {
    crypto::Digest hash = crypto::sha256(fmt::format(
        "wgkit connection v1\n{}\n{}", view.plan.network().name.value, view.node().name.value));
    hash[6] = static_cast<std::uint8_t>((hash[6] & 0x0FU) | 0x80U);
    hash[8] = static_cast<std::uint8_t>((hash[8] & 0x3FU) | 0x80U);
    std::string text = crypto::to_hex(hash).substr(0, 32);
    for (const auto at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
    return text;
}

template <class List, class Text>
std::string list_of(const List& list, Text to_text) {
    std::string text;
    for (const auto& one : list) text += to_text(one) + ";";
    return text;
}

std::string list_of(const std::vector<std::string>& list) {
    return list_of(list, [](const std::string& one) { return one; });
}

void append_connection(SecretString& text, const NodeView& view) {
    text += "[connection]\n";
    append_pair(text, "id", view.node().interface);
    append_pair(text, "uuid", uuid_of(view));
    append_pair(text, "type", "wireguard");
    append_pair(text, "interface-name", view.node().interface);
    // Nobody could be asked for the key at boot.
    if (view.key == nullptr) append_pair(text, "autoconnect", "false");
}

void append_wireguard(SecretString& text, const NodeView& view, const Routing& routing) {
    const Node& node = view.node();
    text += "\n[wireguard]\n";
    if (view.key != nullptr) {
        append_pair(text, "private-key", reveal_base64(*view.key));
        append_pair(text, "private-key-flags", "0");
    } else {
        // Not `nmcli connection up ... passwd-file`: a key that is handed over so makes
        // NetworkManager 1.42 forget all peers, or, once reapplied, their preshared keys.
        text += fmt::format("# The private key is on this node only, and a keyfile cannot name a "
                            "file: put it in there.\n"
                            "# cd /etc/NetworkManager/system-connections\n"
                            "# sed s/^/private-key=/ /{} | sed -i -e '/^private-key-flags=1/r "
                            "/dev/stdin' -e s/^private-key-flags=1/private-key-flags=0/ "
                            "{}.nmconnection\n"
                            "# nmcli connection load $PWD/{}.nmconnection\n",
                            view.key_path(), node.interface, node.interface);
        append_pair(text, "private-key-flags", "1"); // until then whoever starts it is asked
    }
    if (node.port) append_pair(text, "listen-port", std::to_string(*node.port));
    if (routing.mark) append_pair(text, "fwmark", std::to_string(*routing.mark));
    if (node.mtu) append_pair(text, "mtu", std::to_string(node.mtu->value));
    if (!routing.peer_routes) append_pair(text, "peer-routes", "false");
    const auto automatic = [&](Family f) { return routing.full_tunnel(f) ? "1" : "0"; };
    append_pair(text, "ip4-auto-default-route", automatic(Family::ipv4));
    append_pair(text, "ip6-auto-default-route", automatic(Family::ipv6));
}

void append_nm_peer(SecretString& text, const NodeView& view, std::size_t index,
                    const PeerTexts& texts) {
    const Peer& peer = view.peers[index];
    text += "\n# ";
    text += view.node_of(peer).name.value;
    text += "\n[wireguard-peer.";
    text += texts.entries[peer.node].public_key;
    text += "]\n";
    if (peer.endpoint != nullptr) append_pair(text, "endpoint", to_string(*peer.endpoint));
    if (view.psks[index]) {
        append_pair(text, "preshared-key", reveal_base64(*view.psks[index]));
        append_pair(text, "preshared-key-flags", "0"); // by default the key counts as not stored
    }
    if (peer.keepalive != 0)
        append_pair(text, "persistent-keepalive", std::to_string(peer.keepalive));
    if (const auto allowed = peer.allowed_ips(); !allowed.empty())
        append_pair(text, "allowed-ips",
                    list_of(allowed, [](const Prefix& p) { return to_string(p); }));
}

/// NetworkManager refuses DNS servers in a family without addresses, so they are left out.
void append_family(SecretString& text, const NodeView& view, const Routing& routing,
                   Family family) {
    text += family == Family::ipv4 ? "\n[ipv4]\n" : "\n[ipv6]\n";
    unsigned count = 0;
    for (const auto& address : view.member.interface)
        if (address.address.family() == family)
            append_pair(text, fmt::format("address{}", ++count), to_string(address));
    append_pair(text, "method", count == 0 ? "disabled" : "manual");
    if (count == 0) return;
    const Dns dns = make_dns(view.node());
    const auto& servers = family == Family::ipv4 ? dns.ipv4 : dns.ipv6;
    if (!servers.empty()) {
        append_pair(text, "dns", list_of(servers));
        append_pair(text, "dns-priority", "-50"); // only these are asked, as wg-quick has it
    }
    if (!servers.empty() || !dns.search.empty())
        append_pair(text, "dns-search", list_of(dns.search) + (servers.empty() ? "" : "~;"));
    if (!routing.table.empty()) append_pair(text, "route-table", routing.table);
}

} // namespace

RenderedFile render_networkmanager(const NodeView& view, const PeerTexts& texts) {
    const Routing routing = make_routing(view);
    RenderedFile file{
        fmt::format("etc/NetworkManager/system-connections/{}.nmconnection", view.node().interface),
        0600,
        {}};
    SecretString& text = file.content;
    text.reserve(room_for_interface + view.peers.size() * room_for_peer);
    text += file_header(view);
    append_connection(text, view);
    append_wireguard(text, view, routing);
    for (std::size_t i = 0; i < view.peers.size(); ++i) append_nm_peer(text, view, i, texts);
    append_family(text, view, routing, Family::ipv4);
    append_family(text, view, routing, Family::ipv6);
    return file;
}

} // namespace wgkit::mesh
