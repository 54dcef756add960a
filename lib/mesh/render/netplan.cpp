// The dialect of netplan(5), for its networkd back end.
#include <fmt/format.h>

#include "mesh/render/networkd.hpp"
#include "mesh/render/render.hpp"

namespace wgkit::mesh {

namespace {

void append_line(SecretString& text, std::string_view key, std::string_view value) {
    text += key;
    text += ": ";
    text += value;
    text += '\n';
}

/// ["a", "b"]; what stands in the quotes has none itself.
template <class List, class Text>
std::string list_of(const List& list, Text to_text) {
    std::string text;
    for (const auto& one : list) text += (text.empty() ? "\"" : ", \"") + to_text(one) + "\"";
    return "[" + text + "]";
}

std::string list_of(const std::vector<Prefix>& list) {
    return list_of(list, [](const Prefix& p) { return to_string(p); });
}

std::string list_of(const std::vector<std::string>& list) {
    return list_of(list, [](const std::string& one) { return one; });
}

void append_netplan_dns(SecretString& text, const Node& node) {
    Dns dns = make_dns(node);
    std::vector<std::string> servers = dns.ipv4;
    servers.insert(servers.end(), dns.ipv6.begin(), dns.ipv6.end());
    if (dns.has_servers()) dns.search.emplace_back("~."); // as in the networkd dialect
    if (dns.search.empty()) return;
    text += "      nameservers:\n";
    if (!servers.empty()) append_line(text, "        addresses", list_of(servers));
    append_line(text, "        search", list_of(dns.search));
}

void append_interface(SecretString& text, const NodeView& view, const Routing& routing) {
    const Node& node = view.node();
    append_line(text, "      renderer", "networkd");
    append_line(text, "      mode", "wireguard");
    if (view.key != nullptr) {
        text += "      key: \"";
        text += reveal_base64(*view.key);
        text += "\"\n";
    } else {
        text += "      # Made on this node; owner root, group systemd-network, mode 0640.\n";
        append_line(text, "      key", "\"/" + view.key_path() + "\"");
    }
    if (node.port) append_line(text, "      port", std::to_string(*node.port));
    if (routing.mark) append_line(text, "      mark", std::to_string(*routing.mark));
    if (node.mtu) append_line(text, "      mtu", std::to_string(node.mtu->value));
    append_line(text, "      addresses", list_of(view.member.interface));
    append_line(text, "      link-local", "[]");
    append_netplan_dns(text, node);
}

void append_netplan_peer(SecretString& text, const NodeView& view, std::size_t index,
                         const PeerTexts& texts) {
    const Peer& peer = view.peers[index];
    const auto allowed = peer.allowed_ips();
    text += "        # ";
    text += view.node_of(peer).name.value;
    if (allowed.empty()) { // netplan would refuse the whole file
        text += ": left out, as it has no allowed IPs\n";
        return;
    }
    text += "\n        - keys:\n            public: \"";
    text += texts.entries[peer.node].public_key;
    if (view.psks[index]) {
        text += "\"\n            shared: \"";
        text += reveal_base64(*view.psks[index]);
    }
    text += "\"\n";
    append_line(text, "          allowed-ips", list_of(allowed));
    if (peer.endpoint != nullptr)
        append_line(text, "          endpoint", "\"" + to_string(*peer.endpoint) + "\"");
    if (peer.keepalive != 0)
        append_line(text, "          keepalive", std::to_string(peer.keepalive));
}

void append_routes(SecretString& text, const Routing& routing) {
    if (routing.routes.empty() && !routing.full_tunnel()) return;
    text += "      routes:\n";
    const auto append = [&](const std::vector<Prefix>& routes, const std::string& table) {
        for (const auto& route : routes) {
            text += fmt::format("        - {{to: \"{}\", scope: link", to_string(route));
            if (!table.empty()) text += ", table: " + table;
            text += "}\n";
        }
    };
    append(routing.routes, routing.table);
    if (routing.full_tunnel()) append(routing.defaults, std::to_string(*routing.mark));
}

/// netplan's routing-policy knows neither "not" nor "suppress", so the rules of a full tunnel go
/// beside the file that it generates.
RenderedFile render_rules(const NodeView& view, const Routing& routing) {
    RenderedFile file{fmt::format("etc/systemd/network/10-netplan-{}.network.d/50-wgkit.conf",
                                  view.node().interface),
                      0644,
                      {}};
    file.content = file_header(view);
    append_tunnel_rules(file.content, routing);
    return file;
}

} // namespace

std::vector<RenderedFile> render_netplan(const NodeView& view, const PeerTexts& texts) {
    const Routing routing = make_routing(view);
    RenderedFile file{fmt::format("etc/netplan/50-{}.yaml", view.node().interface), 0600, {}};
    SecretString& text = file.content;
    text.reserve(4096 + view.peers.size() * 512); // growing would copy and wipe each time
    text += file_header(view);
    text += "network:\n  version: 2\n  tunnels:\n    ";
    text += view.node().interface;
    text += ":\n";
    append_interface(text, view, routing);
    if (!view.peers.empty()) text += "      peers:\n";
    // networkd, which netplan feeds, reverses the order of peers.
    for (std::size_t i = view.peers.size(); i > 0; --i)
        append_netplan_peer(text, view, i - 1, texts);
    append_routes(text, routing);

    std::vector<RenderedFile> files;
    files.push_back(std::move(file));
    if (routing.full_tunnel()) files.push_back(render_rules(view, routing));
    return files;
}

} // namespace wgkit::mesh
