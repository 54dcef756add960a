#include "mesh/import/own_hooks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mesh/render/forwarding.hpp"
#include "util/interface_name.hpp"

namespace wgkit::mesh {

namespace {

/// Takes `lines` out of `from` if they are all there, in a row.
bool take_lines(std::vector<std::string>& from, const std::vector<std::string>& lines) {
    const auto at = std::search(from.begin(), from.end(), lines.begin(), lines.end());
    if (lines.empty() || at == from.end()) return false;
    from.erase(at, at + static_cast<std::ptrdiff_t>(lines.size()));
    return true;
}

} // namespace

void take_hooks(DraftNode& node, const config::Interface& from, const std::optional<Prefix>& ipv4,
                const std::optional<Prefix>& ipv6) {
    node.hooks = {from.pre_up, from.post_up, from.pre_down, from.post_down};
    auto& up = node.hooks.post_up;
    take_lines(up, {fmt::format("wg set %i private-key /etc/wireguard/{}.key", node.interface)});
    node.forwards = take_lines(
        up, {fmt::format("sysctl -q -p /etc/sysctl.d/90-wgkit-{}.conf", node.interface)});
    const bool rotation = !second_interface(node.interface).empty();
    for (const auto tool : {FirewallTool::nftables, FirewallTool::iptables}) {
        const ExitCommands ours = exit_commands(tool, ipv4, ipv6, rotation);
        if (!take_lines(up, ours.up)) continue;
        take_lines(node.hooks.post_down, ours.down);
        node.exit = tool;
        break;
    }
}

} // namespace wgkit::mesh
