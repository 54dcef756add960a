#include <fmt/format.h>

#include <memory>

#include "fw/commands.hpp"
#include "fw/rule_source.hpp"

namespace wgkit::tool::fw {

namespace {

struct EmitOptions {
    RuleSource source;
    bool remove = false;
    bool json = false;
};

/// Every interface of the node, one text behind the other.
int run_emit(const EmitOptions& options, const Report& report) {
    const auto backend = options.source.backend();
    if (options.json) {
        const auto loaded = load_rules(options.source, report);
        if (!loaded) return exit_failed;
        fmt::print("{}", to_text(loaded->rulesets));
        return exit_ok;
    }
    if (!backend) {
        report.error("for which firewall?",
                     "--ufw, --nftables, --iptables or --firewalld; or --json");
        return exit_usage;
    }
    if (options.remove) {
        const auto text = wgkit::fw::emit_removal(options.source.lockdown.interface, *backend);
        if (!text) return report.error(text.error());
        fmt::print("{}", *text);
        return exit_ok;
    }
    const auto loaded = load_rules(options.source, report);
    if (!loaded) return exit_failed;
    std::string all;
    for (const auto& ruleset : loaded->rulesets) {
        const auto text = wgkit::fw::emit(ruleset, *backend);
        if (!text) return report.error(text.error());
        all += *text;
    }
    fmt::print("{}", all);
    return exit_ok;
}

} // namespace

Action setup_emit(Arguments arguments) {
    auto options = std::make_shared<EmitOptions>();
    add_source_options(arguments, options->source);
    arguments.add_flag("--remove", options->remove, "Write what takes the rules away again");
    arguments.add_flag("--json", options->json, "Write the rules as JSON, for --rules");
    return [options](const Report& report) { return run_emit(*options, report); };
}

} // namespace wgkit::tool::fw
