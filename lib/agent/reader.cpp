#include "agent/reader.hpp"

namespace wgkit::agent {

std::vector<std::string> followed_prefixes(const store::Layout& layout) {
    return {layout.published(), layout.admissions()};
}

Result<std::int64_t> read_published(store::Client& client, const store::Layout& layout,
                                    Follower& follower) {
    auto all = client.get_prefixes(followed_prefixes(layout));
    if (!all) return all.error();
    follower.forget_store();
    for (auto& entry : all->entries)
        follower.put(entry.key, std::move(entry.value), entry.create_revision);
    return all->revision;
}

} // namespace wgkit::agent
