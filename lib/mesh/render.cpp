#include "mesh/render.hpp"

#include <fmt/format.h>

#include "mesh/forwarding.hpp"
#include "mesh/render/routing.hpp"
#include "util/join.hpp"

namespace wgkit::mesh {

PeerTexts::PeerTexts(const Plan& plan) {
    for (NodeIndex i = 0; i < plan.size(); ++i) {
        const Member& member = plan.member(i);
        Entry entry;
        if (member.locked != nullptr && member.locked->key)
            entry.public_key = to_string(*member.locked->key);
        entry.prefixes = join(member.prefixes, ", ");
        entry.endpoint = member.node->endpoint();
        if (entry.endpoint != nullptr) entry.endpoint_text = to_string(*entry.endpoint);
        entries.push_back(std::move(entry));
    }
}

std::string file_header(const NodeView& view) {
    return fmt::format("# wgkit: network {}, node {}\n"
                       "# Made by `wgkit mesh render`; edit nodes.yaml instead.\n",
                       view.plan.network().name.value, view.node().name.value);
}

std::vector<RenderedFile> render_node(const NodeView& view, const PeerTexts& texts, Format format) {
    std::vector<RenderedFile> files;
    switch (format) {
    case Format::wg_quick:
        files.push_back(render_wg_quick(view, texts));
        break;
    case Format::networkd:
        files = render_networkd(view, texts);
        break;
    case Format::networkmanager:
        files.push_back(render_networkmanager(view, texts));
        break;
    case Format::netplan:
        files = render_netplan(view, texts);
        break;
    }
    // wg-quick sets it itself when it brings a full tunnel up.
    const bool src_valid_mark =
        format != Format::wg_quick && make_routing(view).full_tunnel(Family::ipv4);
    if (view.member.forwards || src_valid_mark)
        files.push_back(render_sysctl(view, src_valid_mark));
    return files;
}

} // namespace wgkit::mesh
