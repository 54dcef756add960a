#include <fmt/format.h>

#include <memory>

#include "fw/commands.hpp"
#include "fw/policy_file.hpp"
#include "wgkit/firewall.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::Backend;

namespace {

struct EmitOptions {
    bool ufw = false;
    bool nftables = false;
    bool iptables = false;
    bool remove = false;
    wgkit::fw::LockdownOptions lockdown;
    std::uint32_t port = 51820;
    std::string node;
    std::string nodes = "nodes.yaml";
};

/// Every interface of the node, one text behind the other.
int emit_policy(const EmitOptions& options, Backend backend, const Report& report) {
    const auto loaded = load_policy(options.nodes, report);
    if (!loaded) return exit_failed;
    const auto rulesets = loaded->policy->compile(options.node);
    if (!rulesets) return report.error(rulesets.error());
    if (rulesets->empty()) {
        report.error(fmt::format("{} is not active in any network", options.node));
        return exit_failed;
    }
    std::string all;
    for (const auto& ruleset : *rulesets) {
        const auto text = wgkit::fw::emit(ruleset, backend);
        if (!text) return report.error(text.error());
        all += *text;
    }
    fmt::print("{}", all);
    return exit_ok;
}

int emit(EmitOptions& options, const Report& report) {
    if (!options.ufw && !options.nftables && !options.iptables) {
        report.error("for which firewall?", "--ufw, --nftables or --iptables");
        return exit_usage;
    }
    const Backend backend = options.ufw        ? Backend::ufw
                            : options.nftables ? Backend::nftables
                                               : Backend::iptables;
    if (options.remove) {
        const auto text = wgkit::fw::emit_removal(options.lockdown.interface, backend);
        if (!text) return report.error(text.error());
        fmt::print("{}", *text);
        return exit_ok;
    }
    if (!options.node.empty()) return emit_policy(options, backend, report);
    options.lockdown.port = static_cast<std::uint16_t>(options.port);
    const auto ruleset = wgkit::fw::lockdown(options.lockdown);
    if (!ruleset) return report.error(ruleset.error());
    const auto text = wgkit::fw::emit(*ruleset, backend);
    if (!text) return report.error(text.error());
    fmt::print("{}", *text);
    return exit_ok;
}

} // namespace

Action setup_emit(Arguments arguments) {
    auto options = std::make_shared<EmitOptions>();
    const Option ufw = arguments.add_flag("--ufw", options->ufw, "Write a script for ufw");
    const Option nft =
        arguments.add_flag("--nftables", options->nftables, "Write a file for nft -f");
    const Option iptables =
        arguments.add_flag("--iptables", options->iptables, "Write a script for iptables");
    ufw.excludes(nft);
    ufw.excludes(iptables);
    nft.excludes(iptables);
    const Option node =
        arguments
            .add_option("--node", options->node,
                        "The rules of this node as the policy in nodes.yaml has them")
            .type_name("NODE");
    arguments.add_option("--nodes", options->nodes, "The inventory")
        .type_name("FILE")
        .shows_default();
    auto& lockdown = options->lockdown;
    arguments.add_option("--interface", lockdown.interface, "The WireGuard interface")
        .type_name("IFACE")
        .shows_default()
        .excludes(node);
    arguments.add_option("--port", options->port, "Its listen port, which is opened; 0: none")
        .type_name("PORT")
        .range(0, 65535)
        .shows_default()
        .excludes(node);
    arguments
        .add_option("--allow", lockdown.allow,
                    "What is reached through the tunnel: 53, 80,443/tcp, 8000-8010/udp, icmp, any")
        .type_name("PORTS")
        .excludes(node);
    arguments.add_flag("!--no-ping", lockdown.ping, "Do not answer pings out of the tunnel")
        .excludes(node);
    arguments.add_flag("--exit", lockdown.exit, "Forward from the tunnel to anywhere else")
        .excludes(node);
    arguments.add_flag("--log", lockdown.log, "Log what is dropped, at most 10 a minute")
        .excludes(node);
    arguments.add_flag("--remove", options->remove, "Write what takes the rules away again");
    return [options](const Report& report) { return emit(*options, report); };
}

} // namespace wgkit::tool::fw
