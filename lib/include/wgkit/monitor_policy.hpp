#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/mesh.hpp"
#include "wgkit/monitor.hpp"

/// What operators expect of their peers: monitor.yaml, and the names and tags of nodes.yaml.
namespace wgkit::monitor {

/// Settings for one name, public key or tag; what is not set comes from the next best.
struct Wish {
    std::string selector; ///< a name, a public key in base64, or a tag
    Mark mark;
    std::optional<std::string> name; ///< only for a public key
    std::optional<Expect> expect;
    std::optional<seconds> max_stale;
    std::optional<bool> probe = {};
    std::optional<IpAddress> address = {}; ///< where to probe; only for a peer
};

/// monitor.yaml as data.
struct Wishes {
    std::string nodes; ///< nodes.yaml, as written; empty: none
    Wish otherwise;
    std::vector<Wish> peers;
    std::vector<Wish> tags;
};

/// Reads monitor.yaml. Errors: all of them at once, as diagnostics.
WGKIT_API Wishes parse_wishes(std::string_view text, Diagnostics& diagnostics);

/// A node that a peer may be.
struct KnownNode {
    std::string name;
    std::string network;
    PublicKey key;
    std::vector<std::string> tags;
    bool disabled = false;
    std::vector<IpAddress> addresses = {}; ///< inside the network
};

/// The nodes of a fleet whose public keys are known.
WGKIT_API std::vector<KnownNode> known_nodes(const mesh::Fleet& fleet);

/// Fills the policy: a peer's own wish before those of its tags, in the order of the file, before
/// `otherwise`. Warnings: a name that no node has.
WGKIT_API void apply(const Wishes& wishes, const std::vector<KnownNode>& nodes, Policy& policy,
                     Diagnostics& diagnostics);

} // namespace wgkit::monitor
