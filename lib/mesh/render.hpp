#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "mesh/node_view.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::mesh {

/// One file of a node, as it is deployed.
struct RenderedFile {
    std::string path; ///< relative to the node's root folder, e.g. etc/wireguard/wg0.conf
    mode_t mode = 0600;
    SecretString content;
};

/// Texts that every node's files repeat, made once for a plan.
struct PeerTexts {
    PeerTexts() = default; ///< for a look at files without peers
    explicit PeerTexts(const Plan& plan);

    struct Entry {
        std::string public_key;
        std::string prefixes; ///< addresses and routes, joined by ", "
        const Endpoint* endpoint = nullptr;
        std::string endpoint_text; ///< of `endpoint`
    };
    std::vector<Entry> entries; ///< by node
};

/// All files of one node in a format. Pure.
std::vector<RenderedFile> render_node(const NodeView& view, const PeerTexts& texts, Format format);

/// The files that are a format's own; `render_node` adds what formats share (sysctl settings).
RenderedFile render_wg_quick(const NodeView& view, const PeerTexts& texts);
std::vector<RenderedFile> render_networkd(const NodeView& view, const PeerTexts& texts);
RenderedFile render_networkmanager(const NodeView& view, const PeerTexts& texts);
std::vector<RenderedFile> render_netplan(const NodeView& view, const PeerTexts& texts);

/// The first comment lines of every rendered file.
std::string file_header(const NodeView& view);

} // namespace wgkit::mesh
