#include "common/nodes.hpp"

#include <algorithm>

#include "wgkit/config.hpp"
#include "wgkit/files.hpp"
#include "wgkit/interface.hpp"
#include "wgkit/lock.hpp"

namespace wgkit::tool {

KnownNodes KnownNodes::load(const std::string& folder, const std::vector<std::string>& interfaces) {
    KnownNodes out;
    for (const auto& interface : interfaces) {
        const auto file = find_interface_file(interface);
        const auto text = file ? files::read(file->path) : Result<SecretString>(file.error());
        if (!text) continue;
        const auto parsed = config::parse(*text, file->path);
        for (const auto& peer : parsed.config.peers) {
            const auto& comments = peer.comments;
            const std::string name = !comments.below.empty()    ? comments.below.front()
                                     : !comments.beside.empty() ? comments.beside
                                     : !comments.above.empty()  ? comments.above.back()
                                                                : std::string();
            if (!name.empty()) out.nodes_[peer.public_key].name = name;
        }
    }
    const std::string path = folder + "/nodes.lock.yaml";
    const auto text = files::read(path);
    if (!text) return out;
    const auto parsed = mesh::parse_lock(*text, path);
    for (const auto& network : parsed.lock.networks) {
        for (const auto& node : network.nodes) {
            if (!node.key) continue;
            KnownNode& known = out.nodes_[*node.key];
            known.name = node.name;
            for (const auto& address : {node.ipv4, node.ipv6})
                if (address) known.addresses.push_back(*address);
        }
    }
    return out;
}

const KnownNode* KnownNodes::find(const PublicKey& key) const {
    const auto at = nodes_.find(key);
    return at == nodes_.end() ? nullptr : &at->second;
}

std::optional<PublicKey> KnownNodes::find(std::string_view name) const {
    for (const auto& [key, node] : nodes_)
        if (node.name == name) return key;
    if (auto key = PublicKey::parse(name)) return *key;
    return std::nullopt;
}

std::vector<std::string_view> KnownNodes::names() const {
    std::vector<std::string_view> out;
    for (const auto& [key, node] : nodes_) out.push_back(node.name);
    return out;
}

std::optional<IpAddress> inner_address(const DevicePeer& peer, const KnownNode* node) {
    const auto is_allowed = [&peer](const IpAddress& address) {
        return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(),
                           [&address](const Prefix& p) { return p.contains(address); });
    };
    if (node != nullptr)
        for (const auto& address : node->addresses)
            if (is_allowed(address)) return address;
    for (const auto& prefix : peer.allowed_ips)
        if (prefix.length == prefix.address.bits()) return prefix.address;
    return std::nullopt;
}

} // namespace wgkit::tool
