#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/report.hpp"
#include "wgkit/device.hpp"

namespace wgkit::tool {

/// A peer as people call it.
struct KnownNode {
    std::string name;
    std::vector<IpAddress> addresses; ///< inside the tunnel
};

/// Names of peers: those of nodes.lock.yaml in a folder, and the comments in front of peers in the
/// files of interfaces, where `wgkit mesh render` puts the names, too.
class KnownNodes {
  public:
    /// Files that are missing or broken are passed over: names are a help, no more.
    static KnownNodes load(const std::string& folder, const std::vector<std::string>& interfaces);

    const KnownNode* find(const PublicKey& key) const;
    /// The key by a name, or as itself.
    std::optional<PublicKey> find(std::string_view name) const;
    std::vector<std::string_view> names() const;

  private:
    std::map<PublicKey, KnownNode> nodes_;
};

/// Where to reach a peer inside the tunnel: an address that is its alone.
std::optional<IpAddress> inner_address(const DevicePeer& peer, const KnownNode* node);

} // namespace wgkit::tool
