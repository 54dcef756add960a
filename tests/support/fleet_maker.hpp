#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "mesh/node_view.hpp"
#include "mesh/render.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::test {

/// A day that no fixture expires on.
inline mesh::Date a_day() { return *mesh::parse_date("2026-11-23"); }

/// A private key that belongs to a name, so that two fleets agree on it.
inline PrivateKey key_of(const std::string& name) {
    std::array<std::uint8_t, key_bytes> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(name[i % name.size()] + static_cast<char>(i));
    return PrivateKey(bytes);
}

/// A fleet from text, with keys by name in its lock.
inline mesh::Fleet make_fleet(const std::string& nodes, const std::string& lock = {}) {
    auto fleet = mesh::load_text(mesh::Paths::beside("nodes.yaml"), nodes, lock, a_day());
    for (auto& network : fleet.lock.networks)
        for (auto& node : network.nodes) node.key = public_key(key_of(node.name));
    return fleet;
}

/// All files of a fleet by path.
inline std::map<std::string, std::string> render_all(const mesh::Fleet& fleet) {
    std::map<std::string, std::string> files;
    for (const auto& plan : fleet.plans) {
        mesh::NetworkSecrets secrets;
        for (const auto& node : plan.network().nodes)
            secrets.keys.emplace_back(key_of(node.name.value));
        const mesh::PeerTexts texts(plan);
        const auto master =
            *mesh::PskMaster::parse("1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", "master");
        mesh::PairKeys pair_keys(master, plan.network().name.value);
        for (mesh::NodeIndex i = 0; i < plan.size(); ++i) {
            if (!plan.member(i).active || !plan.member(i).node->managed) continue;
            const auto view = mesh::make_view(plan, i, secrets, &pair_keys);
            for (const auto& file : render_node(*view, texts, view->node().format.value))
                files[view->node().name.value + "/" + file.path] = std::string(file.content);
        }
    }
    return files;
}

/// Random inventories for property tests.
class RandomInventory {
  public:
    explicit RandomInventory(unsigned seed) : random_(seed) {
        nodes_.resize(static_cast<std::size_t>(below(6)) + 2);
        for (auto& node : nodes_) node = random_node();
        topology_ = random_topology();
    }

    /// Changes one or two things.
    void mutate() {
        for (int i = below(2); i >= 0; --i) {
            switch (below(5)) {
            case 0:
                topology_ = random_topology();
                break;
            case 1:
                nodes_.push_back(random_node());
                break;
            case 2:
                if (nodes_.size() > 2) nodes_.pop_back();
                break;
            default:
                nodes_[static_cast<std::size_t>(below(static_cast<int>(nodes_.size())))] =
                    random_node();
            }
        }
    }

    std::string text() const {
        std::string text = "version: 1\nnetwork:\n  name: n\n  ipv4: 10.0.0.0/24\n  ipv6: "
                           "fd00::/64\n  psk: per-pair\n  topology: "
                           + topology_ + "\nnodes:\n";
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            text += "  - {name: n" + std::to_string(i) + ", routes: [" + route(i) + "]"
                    + nodes_[i].fields + "}\n";
        return text;
    }

  private:
    struct RandomNode {
        bool has_route = false;
        std::string fields;
    };

    int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

    std::string route(std::size_t i) const {
        return nodes_[i].has_route ? "192.168." + std::to_string(i) + ".0/24" : "";
    }

    RandomNode random_node() {
        RandomNode node{below(4) == 0, {}};
        const int where = below(4);
        if (where < 2) node.fields += ", endpoint: e" + std::to_string(below(1000)) + ".example:1";
        if (where == 2) node.fields += ", underlays: [lan, internet]";
        if (below(3) == 0) node.fields += ", tags: [hub]";
        if (below(5) == 0) node.fields += ", relay: true";
        if (below(5) == 0) node.fields += ", accept_routes: false";
        if (below(6) == 0) node.fields += ", keepalive: " + std::to_string(below(80) + 1);
        if (below(8) == 0) node.fields += ", disabled: true";
        if (below(6) == 0) node.fields += ", mtu: " + std::to_string(1300 + below(100));
        return node;
    }

    std::string random_topology() {
        constexpr const char* shapes[] = {
            "full-mesh", "hub-and-spoke", "site-to-site",
            "[{mesh: [n0, n1, n2]}, {hub: [n0], spokes: [all]}]",
            "[{links: [n0, n1]}, {hub: [n1], spokes: [n2, n3]}, {hub: [n0], spokes: [n4]}]"};
        return shapes[below(5)];
    }

    std::mt19937 random_;
    std::vector<RandomNode> nodes_;
    std::string topology_;
};

} // namespace wgkit::test
