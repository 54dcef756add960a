#pragma once

#include <string>
#include <vector>

#include "mesh/render/render.hpp"

namespace wgkit::mesh {

/// etc/sysctl.d/90-wgkit-IF.conf: lets the kernel forward packets of the families in use, and with
/// `src_valid_mark` lets replies into a full tunnel whose packets carry a firewall mark.
RenderedFile render_sysctl(const NodeView& view, bool src_valid_mark);
std::string sysctl_path(const NodeView& view);

/// Shell commands that bring an exit node's masquerading up and down, each safe to run twice.
/// `%i` stands for the interface, as in wg-quick(8). `rotation`: also for the second device of a
/// rotation of keys (wgkit-net(8)).
struct ExitCommands {
    std::vector<std::string> up;
    std::vector<std::string> down;
};
ExitCommands exit_commands(const NodeView& view);
ExitCommands exit_commands(FirewallTool tool, const std::optional<Prefix>& ipv4,
                           const std::optional<Prefix>& ipv6, bool rotation);

} // namespace wgkit::mesh
