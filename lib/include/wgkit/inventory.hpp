#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/keys.hpp"

/// The fleet as its owner describes it in nodes.yaml; every field is documented in
/// wgkit-nodes(5).
namespace wgkit::mesh {

using Date = std::chrono::sys_days;

/// A value and where the file says it.
template <class T>
struct Located {
    T value;
    Mark mark;
};

/// Whose files a node is configured by.
enum class Format { wg_quick, networkd, networkmanager, netplan };
/// Where a private key lives: in keys/ beside nodes.yaml, or on its node only.
enum class Custody { local, node };
/// `external` keys are installed by something else (Rosenpass) and never written.
enum class PskMode { none, per_pair, external };
/// What an exit node's forwarding rules are written for.
enum class FirewallTool { nftables, iptables };

/// A transport network that a node is on. Without an endpoint the node can call out on it but not
/// be called.
struct Underlay {
    std::string name;
    std::optional<Located<Endpoint>> endpoint;
};

/// Shell commands for wg-quick, carried through unchanged.
struct Hooks {
    std::vector<std::string> pre_up;
    std::vector<std::string> post_up;
    std::vector<std::string> pre_down;
    std::vector<std::string> post_down;
};

/// How the operator reaches a node; used by `wgkit fleet`, not by rendering.
/// What is absent is left to ssh and its configuration.
struct Ssh {
    std::string host; ///< empty: the node's name
    std::string user;
    std::uint16_t port = 0;   ///< 0: as ssh has it
    std::string jump;         ///< hosts to go through, as for ProxyJump
    std::optional<bool> sudo; ///< absent: unless the user is root

    bool operator==(const Ssh&) const = default;
};

/// How this node sees one peer where that differs from what the mesh computes.
struct PeerOverride {
    Located<std::string> peer;
    std::optional<std::vector<Prefix>> allowed_ips;
    std::optional<Endpoint> endpoint;
    std::optional<std::uint16_t> keepalive; ///< Units: seconds; 0 = off
    std::optional<PskMode> psk;
    std::vector<Mark> allowed_ips_marks = {}; ///< one for each of allowed_ips
    Mark keepalive_mark = {};
};

/// Where the file says those fields of a node whose values carry no mark; nowhere if a field is at
/// its default.
struct FieldMarks {
    Mark port;
    Mark interface;
    Mark hooks;
    Mark disabled;
    Mark keys;
    Mark exit;
    Mark relay;
};

/// One machine in one network, with defaults, groups and per-network settings already applied.
struct Node {
    Located<std::string> name;
    std::vector<Located<std::string>> tags;
    std::vector<Underlay> underlays; ///< in order of preference
    std::vector<Located<Prefix>> routes;
    std::optional<Located<std::vector<Prefix>>> accept_routes; ///< absent: all
    std::optional<Located<IpAddress>> ipv4; ///< fixed by the owner; absent: allocated
    std::optional<Located<IpAddress>> ipv6;
    std::optional<Located<PublicKey>> public_key;

    std::optional<std::uint16_t> port;
    std::optional<Located<std::uint16_t>> mtu;
    std::vector<Located<std::string>> dns;           ///< addresses and search domains
    std::optional<Located<std::uint16_t>> keepalive; ///< Units: seconds; 0 = off
    std::optional<std::string> table;
    std::optional<std::uint32_t> fwmark;
    std::string interface;
    Located<Format> format{Format::wg_quick, {}};
    Hooks hooks;
    std::optional<Located<Date>> expires;
    bool disabled = false;
    bool managed = true; ///< false: a peer of others that gets no files itself (a phone)
    Ssh ssh;
    Custody keys = Custody::local;
    PskMode psk = PskMode::none;

    bool relay = false;
    std::optional<FirewallTool> exit;             ///< offers itself as an exit node
    std::optional<Located<std::string>> exit_via; ///< sends all its traffic through this node
    std::vector<PeerOverride> peers;
    FieldMarks marks;

    /// Whether the node carries the tag.
    bool has_tag(std::string_view tag) const;
    /// First underlay that has an endpoint, if any.
    const Endpoint* endpoint() const;
};

/// `all`, the name of a node, or `tag:NAME`.
using Selector = std::vector<Located<std::string>>;

/// One line of `topology:`; the mesh is the union of what its rules link.
struct TopologyRule {
    /// How nodes are linked.
    enum class Kind {
        mesh,  ///< every pair among `first`
        hub,   ///< every one of `second` with every one of `first`, the hubs among themselves
        sites, ///< pairs among `first` where at least one side has routes
        links, ///< pairs (first[0], first[1]), (first[2], first[3]), ...
    };
    Kind kind = Kind::mesh;
    Selector first;
    Selector second;
    Mark mark;
};

/// One WireGuard network: every node has one interface in it.
struct Network {
    Located<std::string> name;
    std::optional<Located<Prefix>> ipv4; ///< pool that addresses come from
    std::optional<Located<Prefix>> ipv6;
    std::uint16_t port = 51820;
    PskMode psk = PskMode::none;
    std::vector<TopologyRule> topology;
    std::vector<Node> nodes; ///< in the order of the file
};

/// A whole nodes.yaml.
struct Inventory {
    std::string file;
    std::vector<Network> networks;
};

/// What was read of nodes.yaml.
struct ParsedInventory {
    Inventory inventory; ///< incomplete where `diagnostics` has errors
    Diagnostics diagnostics;
};

/// Reads nodes.yaml. Errors: all of them at once, as diagnostics with file:line:col.
WGKIT_API ParsedInventory parse_inventory(std::string_view text, const std::string& file);

/// "wg-quick", "networkd", "networkmanager" or "netplan".
WGKIT_API std::string_view to_string(Format format);

/// YYYY-MM-DD (ISO 8601).
WGKIT_API std::string to_string(Date date);
/// Nothing if the text is no such date.
WGKIT_API std::optional<Date> parse_date(std::string_view text);

} // namespace wgkit::mesh
