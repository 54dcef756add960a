#include <fmt/format.h>

#include <unordered_set>

#include "wgkit/mesh_views.hpp"

namespace wgkit::mesh {

std::vector<HostsEntry> hosts(const Fleet& fleet) {
    std::vector<HostsEntry> entries;
    std::unordered_set<std::string> known;
    for (const auto& plan : fleet.plans) {
        const std::string& network = plan.network().name.value;
        for (NodeIndex i = 0; i < plan.size(); ++i) {
            const Member& member = plan.member(i);
            if (!member.active) continue;
            const std::string& name = member.node->name.value;
            // A bare name that means several networks would be resolved to any of them.
            const bool bare = known.insert(name).second;
            for (const auto& address : member.addresses) {
                HostsEntry entry{address.address, {fmt::format("{}.{}", name, network)}};
                if (bare) entry.names.push_back(name);
                entries.push_back(std::move(entry));
            }
        }
    }
    return entries;
}

} // namespace wgkit::mesh
