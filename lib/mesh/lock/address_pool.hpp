#pragma once

#include <optional>
#include <set>

#include "wgkit/ip.hpp"

namespace wgkit::mesh {

/// Hands out the addresses of one pool, lowest free first.
class AddressPool {
  public:
    explicit AddressPool(const Prefix& pool);

    /// Marks an address as used; false if it was used already. Addresses of other pools are kept
    /// too, to find duplicates.
    bool take(const IpAddress& address);
    /// The lowest free host address, now used; nothing if the pool is exhausted.
    std::optional<IpAddress> allocate();
    /// As `allocate`, but first tries the address as far from the start of this pool as `like` is
    /// from the start of `its_pool`, so that a node's IPv4 and IPv6 addresses look alike.
    std::optional<IpAddress> allocate_like(const IpAddress& like, const Prefix& its_pool);
    /// Not the network's own address, nor (in IPv4) the broadcast address.
    bool is_host(const IpAddress& address) const;

  private:
    Prefix pool_;
    std::set<IpAddress> used_;
    IpAddress next_;
};

} // namespace wgkit::mesh
