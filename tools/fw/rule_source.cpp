#include "fw/rule_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wgkit/files.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::Backend;

bool RuleSource::is_given() const {
    return std::any_of(said.begin(), said.end(),
                       [](const Option& one) { return one.count() != 0; });
}

std::optional<Backend> RuleSource::backend() const {
    if (ufw) return Backend::ufw;
    if (nftables) return Backend::nftables;
    if (iptables) return Backend::iptables;
    if (firewalld) return Backend::firewalld;
    return std::nullopt;
}

void add_backend_options(Arguments arguments, RuleSource& source) {
    const Option ufw = arguments.add_flag("--ufw", source.ufw, "Rules for ufw");
    const Option nft = arguments.add_flag("--nftables", source.nftables, "Rules for nftables");
    const Option iptables = arguments.add_flag("--iptables", source.iptables, "Rules for iptables");
    const Option firewalld =
        arguments.add_flag("--firewalld", source.firewalld, "Rules for firewalld");
    const Option all[] = {ufw, nft, iptables, firewalld};
    for (const auto& one : all)
        for (const auto& other : all)
            if (one.name() < other.name()) one.excludes(other);
}

void add_source_options(Arguments arguments, RuleSource& source) {
    add_backend_options(arguments, source);
    auto& said = source.said;
    const Option node =
        arguments
            .add_option("--node", source.node,
                        "The rules of this node as the policy in nodes.yaml has them")
            .type_name("NODE");
    said.push_back(node);
    arguments.add_option("--nodes", source.nodes, "The inventory")
        .type_name("FILE")
        .shows_default();
    const Option rules =
        arguments
            .add_option("--rules", source.rules,
                        "Rules that were compiled elsewhere, by --node NODE --json")
            .type_name("FILE")
            .excludes(node);
    said.push_back(rules);
    auto& lockdown = source.lockdown;
    arguments.add_option("--interface", lockdown.interface, "The WireGuard interface")
        .type_name("IFACE")
        .shows_default()
        .excludes(node)
        .excludes(rules);
    arguments.add_option("--port", source.port, "Its listen port, which is opened; 0: none")
        .type_name("PORT")
        .range(0, 65535)
        .shows_default()
        .excludes(node)
        .excludes(rules);
    said.push_back(
        arguments
            .add_option("--allow", lockdown.allow,
                        "What is reached through the tunnel: 53, 80,443/tcp, 8000-8010/udp, icmp, "
                        "any")
            .type_name("PORTS")
            .excludes(node)
            .excludes(rules));
    arguments.add_flag("!--no-ping", lockdown.ping, "Do not answer pings out of the tunnel")
        .excludes(node)
        .excludes(rules);
    said.push_back(
        arguments.add_flag("--exit", lockdown.exit, "Forward from the tunnel to anywhere else")
            .excludes(node)
            .excludes(rules));
    arguments.add_flag("--log", lockdown.log, "Log what is dropped, at most 10 a minute")
        .excludes(node)
        .excludes(rules);
}

std::optional<LoadedRules> load_rules(const RuleSource& source, const Report& report) {
    LoadedRules loaded;
    if (!source.rules.empty()) {
        const auto text = files::read(source.rules);
        auto rulesets = text ? wgkit::fw::parse_rulesets(
                            *text, source.rules == "-" ? "standard input" : source.rules)
                             : Result<std::vector<wgkit::fw::Ruleset>>(text.error());
        if (!rulesets) {
            report.error(rulesets.error());
            return std::nullopt;
        }
        loaded.rulesets = *std::move(rulesets);
        return loaded;
    }
    if (source.node.empty()) {
        auto lockdown = source.lockdown;
        lockdown.port = static_cast<std::uint16_t>(source.port);
        auto ruleset = wgkit::fw::lockdown(lockdown);
        if (!ruleset) {
            report.error(ruleset.error());
            return std::nullopt;
        }
        loaded.rulesets.push_back(*std::move(ruleset));
        return loaded;
    }
    loaded.policy = load_policy(source.nodes, report);
    if (!loaded.policy) return std::nullopt;
    auto rulesets = loaded.policy->policy->compile(source.node);
    if (!rulesets) {
        report.error(rulesets.error());
        return std::nullopt;
    }
    if (rulesets->empty()) {
        report.error(fmt::format("{} is not active in any network", source.node));
        return std::nullopt;
    }
    loaded.rulesets = *std::move(rulesets);
    return loaded;
}

} // namespace wgkit::tool::fw
