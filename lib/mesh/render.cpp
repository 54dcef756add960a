#include "mesh/render.hpp"

#include <fmt/format.h>

#include "mesh/forwarding.hpp"
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
    case Format::networkd:
    case Format::networkmanager:
    case Format::netplan:
        files.push_back(render_wg_quick(view, texts));
        break;
    }
    if (view.member.forwards) files.push_back(render_forwarding_sysctl(view));
    return files;
}

} // namespace wgkit::mesh
