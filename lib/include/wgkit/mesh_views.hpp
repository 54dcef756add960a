#pragma once

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

} // namespace wgkit::mesh
