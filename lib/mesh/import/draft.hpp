#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mesh/secrets/key_store.hpp"
#include "wgkit/mesh_import.hpp"

namespace wgkit::mesh {

/// A peer as a node's file has it, with mistakes corrected.
struct DraftPeer {
    std::size_t node = 0; ///< index into Draft::nodes
    std::vector<Prefix> allowed_ips;
    std::optional<Endpoint> endpoint;
    std::uint16_t keepalive = 0; ///< Units: seconds
    bool psk = false;
};

/// A node on its way into nodes.yaml.
struct DraftNode {
    std::string name;
    std::optional<IpAddress> ipv4;
    std::optional<IpAddress> ipv6;
    std::optional<PublicKey> key;
    bool has_file = false;
    bool has_key = false;  ///< its private key is known
    bool by_wgkit = false; ///< its file was rendered by wgkit
    bool forwards = false; ///< its file loads wgkit's forwarding settings
    std::optional<Endpoint> endpoint;
    std::vector<Prefix> routes;
    std::vector<std::string> tags;
    std::optional<std::uint16_t> port;
    std::optional<std::uint16_t> mtu;
    std::vector<std::string> dns;
    std::optional<std::string> table;
    std::optional<std::uint32_t> fwmark;
    std::string interface = "wg0";
    Hooks hooks;
    std::optional<FirewallTool> exit;
    std::string exit_via;
    std::string expires;
    bool relay = false;
    bool keys_on_node = false;
    bool key_in_lock = false; ///< its node told it, so that the lock follows what the node has
    Ssh ssh;
    bool psk_none = false;
    std::optional<std::uint16_t> keepalive;
    std::vector<DraftPeer> peers;               ///< in the order of the file
    std::map<std::string, std::string> special; ///< YAML of `peers:`, by name
};

/// A network on its way into nodes.yaml.
struct Draft {
    std::string name;
    std::optional<Prefix> ipv4;
    std::optional<Prefix> ipv6;
    std::string topology; ///< YAML; empty: full mesh
    bool psk = false;
    std::vector<DraftNode> nodes;
};

/// The text of nodes.yaml.
std::string write_draft(const std::vector<Draft>& drafts, bool with_special = true);

/// Finds the topology that explains the peers best, and writes what it does not explain into
/// DraftNode::special. Peers that no inventory can say become warnings.
void infer_topology(Draft& draft, Diagnostics& diagnostics);

/// Inventory and lock of finished drafts.
Imported finish_import(const std::vector<Draft>& drafts, std::vector<ImportedKey> keys,
                       Diagnostics diagnostics, Date today);

/// A name for nodes.yaml from any text: a DNS label, different from those in `taken`.
std::string make_label(std::string_view text, const std::vector<DraftNode>& taken);

} // namespace wgkit::mesh
