#include "mesh/render/forwarding.hpp"

#include <fmt/format.h>

#include "util/interface_name.hpp"

namespace wgkit::mesh {

namespace {

// One transaction in a table of our own: declaring it first makes the delete succeed whether or
// not it was there, so both commands can run any number of times.
constexpr std::string_view nft_reset = "table inet wgkit-%i; delete table inet wgkit-%i";
/// `devices`: what is the tunnel.
std::string nft_rules(std::string_view devices) {
    return fmt::format("table inet wgkit-%i {{ chain postrouting {{ type nat hook postrouting "
                       "priority srcnat; iifname {0} oifname != {0} masquerade; }}; }}",
                       devices);
}

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
                           const std::optional<Prefix>& ipv6, bool rotation) {
    ExitCommands commands;
    if (tool == FirewallTool::nftables) {
        const auto rules = nft_rules(rotation ? "{ \"%i\", \"%i-2\" }" : "\"%i\"");
        commands.up = {fmt::format("nft '{}; {}'", nft_reset, rules)};
        commands.down = {fmt::format("nft '{}'", nft_reset)};
        return commands;
    }
    const auto add_family = [&](std::string_view program, const Prefix& pool) {
        for (const std::string_view device : {"%i", "%i-2"}) {
            if (device != "%i" && !rotation) continue;
            add_iptables(commands, program, "filter",
                         fmt::format("FORWARD -i {} -j ACCEPT", device));
            add_iptables(commands, program, "filter",
                         fmt::format("FORWARD -o {} -m conntrack --ctstate ESTABLISHED,RELATED "
                                     "-j ACCEPT",
                                     device));
        }
        const std::string from = fmt::format("POSTROUTING -s {}", to_string(pool));
        if (rotation) add_iptables(commands, program, "nat", from + " -o %i-2 -j RETURN");
        add_iptables(commands, program, "nat", from + " ! -o %i -j MASQUERADE");
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
    return exit_commands(*view.node().exit, pool(network.ipv4), pool(network.ipv6),
                         !second_interface(view.node().interface).empty());
}

} // namespace wgkit::mesh
