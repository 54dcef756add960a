// The dialect of wg-quick(8).
#include <fmt/format.h>

#include "mesh/render/forwarding.hpp"
#include "mesh/render/render.hpp"
#include "util/join.hpp"

namespace wgkit::mesh {

namespace {

void append_field(SecretString& text, std::string_view key, std::string_view value) {
    text += key;
    text += " = ";
    text += value;
    text += '\n';
}

void append_hooks(SecretString& text, const NodeView& view) {
    const Hooks& hooks = view.node().hooks;
    const ExitCommands exit = exit_commands(view);
    const auto append = [&](std::string_view key, const std::vector<std::string>& lines) {
        for (const auto& line : lines) append_field(text, key, line);
    };
    append("PreUp", hooks.pre_up);
    if (view.key == nullptr)
        append_field(text, "PostUp", fmt::format("wg set %i private-key /{}", view.key_path()));
    if (view.member.forwards)
        append_field(text, "PostUp", fmt::format("sysctl -q -p /{}", sysctl_path(view)));
    append("PostUp", exit.up);
    append("PostUp", hooks.post_up);
    append("PreDown", hooks.pre_down);
    append("PostDown", exit.down);
    append("PostDown", hooks.post_down);
}

void append_interface(SecretString& text, const NodeView& view) {
    const Node& node = view.node();
    text += "[Interface]\n";
    if (view.key != nullptr) {
        text += "PrivateKey = ";
        text += reveal_base64(*view.key);
        text += '\n';
    }
    append_field(text, "Address", join(view.member.interface, ", "));
    if (node.port) append_field(text, "ListenPort", std::to_string(*node.port));
    if (node.fwmark) append_field(text, "FwMark", fmt::format("0x{:x}", *node.fwmark));
    if (node.mtu) append_field(text, "MTU", std::to_string(node.mtu->value));
    if (!node.dns.empty()) {
        std::string dns;
        for (const auto& entry : node.dns) dns += (dns.empty() ? "" : ", ") + entry.value;
        append_field(text, "DNS", dns);
    }
    if (node.table) append_field(text, "Table", *node.table);
    append_hooks(text, view);
}

void append_allowed_ips(SecretString& text, const NodeView& view, const Peer& peer,
                        const PeerTexts::Entry& known) {
    if (peer.own == &view.plan.member(peer.node).prefixes)
        text += known.prefixes;
    else if (peer.own != nullptr)
        text += join(*peer.own, ", ");
    for (const auto& prefix : peer.more) {
        if (!text.ends_with(' ')) text += ", ";
        text += to_string(prefix);
    }
}

void append_quick_peer(SecretString& text, const NodeView& view, std::size_t index,
                       const PeerTexts& texts) {
    const Peer& peer = view.peers[index];
    const PeerTexts::Entry& known = texts.entries[peer.node];
    text += "\n[Peer]\n# ";
    text += view.node_of(peer).name.value;
    text += "\nPublicKey = ";
    text += known.public_key;
    if (view.psks[index]) {
        text += "\nPresharedKey = ";
        text += reveal_base64(*view.psks[index]);
    }
    if (peer.own != nullptr || !peer.more.empty()) {
        text += "\nAllowedIPs = ";
        append_allowed_ips(text, view, peer, known);
    }
    if (peer.endpoint != nullptr) {
        text += "\nEndpoint = ";
        if (peer.endpoint == known.endpoint)
            text += known.endpoint_text;
        else
            text += to_string(*peer.endpoint);
    }
    if (peer.keepalive != 0) {
        text += "\nPersistentKeepalive = ";
        text += std::to_string(peer.keepalive);
    }
    text += '\n';
}

} // namespace

RenderedFile render_wg_quick(const NodeView& view, const PeerTexts& texts) {
    RenderedFile file{fmt::format("etc/wireguard/{}.conf", view.node().interface), 0600, {}};
    file.content.reserve(1024 + view.peers.size() * 320); // growing would copy and wipe each time
    file.content += file_header(view);
    append_interface(file.content, view);
    for (std::size_t i = 0; i < view.peers.size(); ++i)
        append_quick_peer(file.content, view, i, texts);
    return file;
}

} // namespace wgkit::mesh
