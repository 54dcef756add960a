#pragma once

#include "agent/follower.hpp"
#include "store/client.hpp"

namespace wgkit::agent {

/// Reads all that a follower follows, at one revision of the store, which is returned. Errors:
/// those of the store.
Result<std::int64_t> read_published(store::Client& client, const store::Layout& layout,
                                    Follower& follower);

/// The prefixes that this is.
std::vector<std::string> followed_prefixes(const store::Layout& layout);

} // namespace wgkit::agent
