#include "mesh/forwarding.hpp"

#include <fmt/format.h>

namespace wgkit::mesh {

namespace {

// One transaction in a table of our own: declaring it first makes the delete succeed whether or
// not it was there, so both commands can run any number of times.
constexpr std::string_view nft_reset = "table inet wgkit-%i; delete table inet wgkit-%i";
constexpr std::string_view nft_rules =
    "table inet wgkit-%i { chain postrouting { type nat hook postrouting priority srcnat; "
    "iifname \"%i\" oifname != \"%i\" masquerade; }; }";

void add_iptables(ExitCommands& commands, std::string_view tool, std::string_view table,
                  std::string_view rule) {
    const auto command = [&](std::string_view action) {
        return fmt::format("{} -w -t {} -{} {}", tool, table, action, rule);
    };
    commands.up.push_back(fmt::format("{} 2>/dev/null || {}", command("C"), command("A")));
    commands.down.push_back(fmt::format("{} 2>/dev/null || :", command("D")));
}

} // namespace

std::string sysctl_path(const NodeView& view) {
    return fmt::format("etc/sysctl.d/90-wgkit-{}.conf", view.node().interface);
}

RenderedFile render_sysctl(const NodeView& view, bool src_valid_mark) {
    RenderedFile file{sysctl_path(view), 0644, {}};
    const Network& network = view.plan.network();
    file.content = file_header(view);
    if (view.member.forwards && network.ipv4) file.content += "net.ipv4.ip_forward = 1\n";
    if (view.member.forwards && network.ipv6)
        file.content +=
            "# With forwarding on, an uplink configured by router advertisements needs\n"
            "# accept_ra = 2 on its own interface.\n"
            "net.ipv6.conf.all.forwarding = 1\n";
    if (src_valid_mark)
        file.content += "# The reverse path filter must look up the tunnel's own packets by mark.\n"
                        "net.ipv4.conf.all.src_valid_mark = 1\n";
    return file;
}

ExitCommands exit_commands(FirewallTool tool, const std::optional<Prefix>& ipv4,
                           const std::optional<Prefix>& ipv6) {
    ExitCommands commands;
    if (tool == FirewallTool::nftables) {
        commands.up = {fmt::format("nft '{}; {}'", nft_reset, nft_rules)};
        commands.down = {fmt::format("nft '{}'", nft_reset)};
        return commands;
    }
    const auto add_family = [&](std::string_view program, const Prefix& pool) {
        add_iptables(commands, program, "filter", "FORWARD -i %i -j ACCEPT");
        add_iptables(commands, program, "filter",
                     "FORWARD -o %i -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
        add_iptables(commands, program, "nat",
                     fmt::format("POSTROUTING -s {} ! -o %i -j MASQUERADE", to_string(pool)));
    };
    if (ipv4) add_family("iptables", *ipv4);
    if (ipv6) add_family("ip6tables", *ipv6);
    return commands;
}

ExitCommands exit_commands(const NodeView& view) {
    if (!view.node().exit) return {};
    const Network& network = view.plan.network();
    const auto pool = [](const std::optional<Located<Prefix>>& one) {
        return one ? std::optional(one->value) : std::nullopt;
    };
    return exit_commands(*view.node().exit, pool(network.ipv4), pool(network.ipv6));
}

} // namespace wgkit::mesh
