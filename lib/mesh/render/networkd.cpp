// The dialect of systemd.netdev(5) and systemd.network(5), as systemd 252 and later read it.
#include <fmt/format.h>

#include "mesh/render/networkd.hpp"
#include "mesh/render/render.hpp"
#include "mesh/render/text.hpp"
#include "util/join.hpp"

namespace wgkit::mesh {

namespace {

void append_networkd_peer(SecretString& text, const NodeView& view, std::size_t index,
                          const PeerTexts& texts) {
    const Peer& peer = view.peers[index];
    text += "\n[WireGuardPeer]\n# ";
    text += view.node_of(peer).name.value;
    text += '\n';
    append_pair(text, "PublicKey", texts.entries[peer.node].public_key);
    if (view.psks[index]) append_pair(text, "PresharedKey", reveal_base64(*view.psks[index]));
    if (const auto allowed = peer.allowed_ips(); !allowed.empty())
        append_pair(text, "AllowedIPs", join(allowed, ","));
    if (peer.endpoint != nullptr) append_pair(text, "Endpoint", to_string(*peer.endpoint));
    if (peer.keepalive != 0)
        append_pair(text, "PersistentKeepalive", std::to_string(peer.keepalive));
}

RenderedFile render_netdev(const NodeView& view, const PeerTexts& texts) {
    // systemd-networkd reads it as user systemd-network, which owns nothing: hence the group.
    RenderedFile file{
        fmt::format("etc/systemd/network/50-{}.netdev", view.node().interface), 0640, {}};
    SecretString& text = file.content;
    text.reserve(room_for_interface + view.peers.size() * room_for_peer);
    text += file_header(view);
    text += "# Holds secrets: owner root, group systemd-network, mode 0640.\n";
    text += "[NetDev]\n";
    append_pair(text, "Name", view.node().interface);
    append_pair(text, "Kind", "wireguard");
    text += "\n[WireGuard]\n";
    if (view.key != nullptr) {
        append_pair(text, "PrivateKey", reveal_base64(*view.key));
    } else {
        text += "# Made on this node; owner root, group systemd-network, mode 0640.\n";
        append_pair(text, "PrivateKeyFile", "/" + view.key_path());
    }
    if (view.node().port) append_pair(text, "ListenPort", std::to_string(*view.node().port));
    if (const auto mark = make_routing(view).mark)
        append_pair(text, "FirewallMark", std::to_string(*mark));
    // networkd hands the peers to the kernel last to first, and there the last one that claims a
    // prefix gets it: reversed here, the result is the same as from wg-quick.
    for (std::size_t i = view.peers.size(); i > 0; --i)
        append_networkd_peer(text, view, i - 1, texts);
    return file;
}

/// "ipv4", "ipv6" or `both`, whatever the network has.
std::string_view families(const NodeView& view, std::string_view both) {
    const Network& network = view.plan.network();
    return network.ipv4 && network.ipv6 ? both : network.ipv4 ? "ipv4" : "ipv6";
}

void append_networkd_dns(SecretString& text, const Node& node) {
    const Dns dns = make_dns(node);
    for (const auto& server : dns.ipv4) append_pair(text, "DNS", server);
    for (const auto& server : dns.ipv6) append_pair(text, "DNS", server);
    std::string domains;
    for (const auto& domain : dns.search) domains += (domains.empty() ? "" : " ") + domain;
    // All other domains too, as wg-quick has it: its DNS servers are the only ones asked.
    if (dns.has_servers()) domains += domains.empty() ? "~." : " ~.";
    if (!domains.empty()) append_pair(text, "Domains", domains);
}

void append_route(SecretString& text, const Prefix& destination, std::string_view table) {
    text += "\n[Route]\n";
    append_pair(text, "Destination", to_string(destination));
    if (!table.empty()) append_pair(text, "Table", table);
}

RenderedFile render_network(const NodeView& view) {
    const Node& node = view.node();
    const Routing routing = make_routing(view);
    RenderedFile file{fmt::format("etc/systemd/network/50-{}.network", node.interface), 0644, {}};
    SecretString& text = file.content;
    text += file_header(view);
    text += "[Match]\n";
    append_pair(text, "Name", node.interface);
    if (node.mtu) {
        text += "\n[Link]\n";
        append_pair(text, "MTUBytes", std::to_string(node.mtu->value));
    }
    text += "\n[Network]\n";
    for (const auto& address : view.member.interface)
        append_pair(text, "Address", to_string(address));
    append_pair(text, "LinkLocalAddressing", "no");
    append_networkd_dns(text, node);
    if (view.member.forwards) append_pair(text, "IPForward", families(view, "yes"));
    if (node.exit) append_pair(text, "IPMasquerade", families(view, "both"));
    // networkd adds no routes for AllowedIPs by itself.
    for (const auto& route : routing.routes) append_route(text, route, routing.table);
    for (const auto& route : routing.defaults)
        append_route(text, route, std::to_string(*routing.mark));
    append_tunnel_rules(text, routing);
    return file;
}

} // namespace

void append_tunnel_rules(SecretString& text, const Routing& routing) {
    if (!routing.full_tunnel()) return;
    const bool ipv4 = routing.full_tunnel(Family::ipv4);
    const bool ipv6 = routing.full_tunnel(Family::ipv6);
    const auto family = ipv4 && ipv6 ? "both" : ipv4 ? "ipv4" : "ipv6";
    const auto mark = std::to_string(*routing.mark);
    text += "\n# Specific routes of the main table first, but not its default route.\n"
            "[RoutingPolicyRule]\n";
    append_pair(text, "Family", family);
    append_pair(text, "Table", "main");
    append_pair(text, "SuppressPrefixLength", "0");
    append_pair(text, "Priority", std::to_string(main_table_rule_priority));
    text += "\n# Then the tunnel, for all but the packets that carry it.\n[RoutingPolicyRule]\n";
    append_pair(text, "Family", family);
    append_pair(text, "FirewallMark", mark);
    append_pair(text, "InvertRule", "yes");
    append_pair(text, "Table", mark);
    append_pair(text, "Priority", std::to_string(tunnel_rule_priority));
}

std::vector<RenderedFile> render_networkd(const NodeView& view, const PeerTexts& texts) {
    std::vector<RenderedFile> files;
    files.push_back(render_netdev(view, texts));
    files.push_back(render_network(view));
    return files;
}

} // namespace wgkit::mesh
