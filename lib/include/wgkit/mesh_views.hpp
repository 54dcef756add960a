#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/mesh.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Ways to look at a fleet that change nothing: who reaches whom and why, pictures, names, keys.
namespace wgkit::mesh {

/// One line of /etc/hosts.
struct HostsEntry {
    IpAddress address;
    std::vector<std::string> names; ///< NODE.NETWORK, then NODE in the first network it is in
};

/// The addresses of all active nodes, in the order of the inventory.
WGKIT_API std::vector<HostsEntry> hosts(const Fleet& fleet);

/// Where a packet to one prefix of the destination goes on a hop.
struct Carrier {
    Prefix target;               ///< an address of the destination, or a subnet behind it
    std::optional<Prefix> entry; ///< the AllowedIPs entry that takes it; nothing: it is dropped
    std::string peer;            ///< whose entry it is
    std::string why;             ///< where the entry comes from, with file:line
};

/// One tunnel on the way, as its sender's file describes it.
struct Hop {
    std::string from;
    std::string to;
    std::string underlay;
    std::optional<Endpoint> endpoint; ///< nothing: learned from the peer's packets
    std::vector<Carrier> carriers;    ///< one for each address and subnet of the destination
    std::uint16_t keepalive = 0;      ///< Units: seconds; 0 = off
    std::string keepalive_why;
    PskMode psk = PskMode::none;
    std::uint32_t psk_epoch = 0;
};

/// The way from one node to another.
struct Direction {
    std::string from;
    std::string to;
    Path::Kind kind = Path::Kind::none;
    std::string why;       ///< what links them, or why nothing does, with file:line
    std::vector<Hop> hops; ///< none if there is no path
};

/// Two nodes in one network, both ways.
struct Explanation {
    std::string network;
    Direction there;
    Direction back;
};

/// One explanation for each network that both are in. The fleet must have no errors.
/// Errors: not_found (no such node; both in no common network), invalid (one node twice).
WGKIT_API Result<std::vector<Explanation>> explain(const Fleet& fleet, std::string_view a,
                                                   std::string_view b);

/// "none", "direct", "hub", "relay" or "exit".
WGKIT_API std::string_view to_string(Path::Kind kind);
/// "none", "per-pair" or "external".
WGKIT_API std::string_view to_string(PskMode mode);

/// A node of a picture; in a large fleet, many that play the same part.
struct GraphNode {
    std::string name;
    std::vector<IpAddress> addresses;
    std::vector<Prefix> routes;
    bool hub = false;
    bool relay = false;
    bool exit = false;
    bool callable = false;   ///< has an endpoint
    std::size_t members = 1; ///< nodes that this one stands for
    std::size_t links = 0;   ///< among those
};

/// A line of the graph.
struct GraphEdge {
    /// What the two nodes are to each other.
    enum class Kind {
        tunnel,  ///< peers as equals
        spoke,   ///< peers, one the hub of the other
        exit,    ///< peers, one the exit of the other
        relayed, ///< no peers: their traffic goes through a relay
    };
    Kind kind = Kind::tunnel;
    std::uint32_t from = 0; ///< index into Graph::nodes
    std::uint32_t to = 0;
    bool one_way = false;  ///< only `from` can call
    std::size_t links = 1; ///< how many this edge stands for
};

/// One network as a picture shows it.
struct Graph {
    std::string network;
    std::size_t size = 0;    ///< active nodes
    std::size_t links = 0;   ///< pairs of peers
    bool aggregated = false; ///< more than `graph_limit` nodes: those of one part are one
    std::vector<GraphNode> nodes;
    std::vector<GraphEdge> edges;
    /// What topology says in words: label and names, e.g. "full mesh" and its nodes.
    struct Statement {
        std::string label;
        std::vector<std::string> names;
    };
    std::vector<Statement> statements;
};

/// Above this many nodes in a network no picture can be read: it shows groups instead.
inline constexpr std::size_t graph_limit = 200;

/// One graph for each network. The fleet must have no errors.
WGKIT_API std::vector<Graph> make_graphs(const Fleet& fleet);

/// A few lines a network: what is meshed, whose hub is who, what is behind whom.
WGKIT_API std::string to_text(const std::vector<Graph>& graphs);
/// For graphviz.
WGKIT_API std::string to_dot(const std::vector<Graph>& graphs);
/// For Mermaid, as GitHub and GitLab draw it in Markdown.
WGKIT_API std::string to_mermaid(const std::vector<Graph>& graphs);
/// A picture of its own, without fonts or scripts from elsewhere.
WGKIT_API std::string to_svg(const std::vector<Graph>& graphs);

/// "tunnel", "spoke", "exit" or "relayed".
WGKIT_API std::string_view to_string(GraphEdge::Kind kind);

/// What is known of one node's key in one network. Holds no secret.
struct KeyRecord {
    std::string network;
    std::string node;
    std::optional<PublicKey> key;
    std::string fingerprint; ///< the first 16 hexadecimal digits of the public key's SHA-256
    std::optional<std::int64_t> age; ///< Units: days since the key was first seen
    std::uint32_t generation = 0;
    std::string custody;        ///< "local", "node" or "unmanaged"
    std::string file;           ///< where its private key is or should be; only of local ones
    std::optional<mode_t> mode; ///< of that file, if it is there
    PskMode psk = PskMode::none;
    std::uint32_t psk_epoch = 0;
    std::vector<std::string> problems;
};

/// The preshared keys of one network.
struct PskRecord {
    std::string network;
    std::string file; ///< of the master
    std::optional<mode_t> mode;
    std::optional<std::int64_t> age; ///< Units: days since the master was made
    std::uint32_t first_epoch = 0;   ///< the oldest that can still be derived; 0 without a master
    std::uint32_t newest_epoch = 0;  ///< that a node is on
    std::size_t stored_pairs = 0;    ///< kept as they were imported, not derived
    std::vector<std::string> problems;
};

/// The cryptographic material of a fleet.
struct KeyAudit {
    std::vector<KeyRecord> nodes;
    std::vector<PskRecord> networks;
    std::vector<std::string> orphans; ///< files in the keys folder that belong to nothing

    /// How many problems the records have, and orphans there are.
    WGKIT_API std::size_t findings() const;
};

/// Looks at every key file: is it there, closed to others, and the one the lock knows?
/// Reads private keys to derive their public ones, and forgets them.
WGKIT_API KeyAudit audit_keys(const Fleet& fleet, Date today);

/// Which configuration is wanted.
struct NodeConfigOptions {
    std::string network;          ///< needed if the node is in several
    bool compact = false;         ///< as phones take it: see `node_config`
    bool allow_open_keys = false; ///< accept key files that others may read
};

/// One node's wg-quick config, as render writes it.
struct NodeConfig {
    SecretString text;
    std::vector<std::string> left_out; ///< keys that `compact` dropped, e.g. "PostUp"
};

/// The config of one node from the keys that are there; makes and writes nothing. Compact ones have
/// no comments, adjacent CIDRs are joined, and what the apps for phones refuse (hooks, Table,
/// FwMark) is left out.
/// Errors: not_found (node, key file, the key of a peer), invalid (key kept on the node, not
/// managed, in several networks), permission (key file open to others).
WGKIT_API Result<NodeConfig> node_config(const Fleet& fleet, std::string_view node,
                                         const NodeConfigOptions& options);

/// As `node_config`, not compact, with a private key that the caller has; without preshared keys
/// that are derived.
WGKIT_API Result<SecretString> node_text(const Plan& plan, NodeIndex node, const PrivateKey& key);

} // namespace wgkit::mesh
