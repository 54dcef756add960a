// Whether the rules that are loaded are those that should be.
#include <fmt/format.h>

#include <memory>

#include "common/deliver.hpp"
#include "fw/commands.hpp"
#include "fw/prepared.hpp"
#include "fw/status_events.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::Difference;
using Effect = Difference::Effect;

namespace {

constexpr std::chrono::seconds to_deliver{30};

struct StatusOptions {
    RuleSource source;
    Receivers receivers;
    bool json = false;
    std::string format = "text";
};

void print_text(const Prepared& one) {
    const auto& name = one.rules.interface;
    const auto backend = to_string(one.rules.backend);
    if (one.differences.empty()) {
        fmt::print("{} ({}): as it should be, {}\n", name, backend,
                   wgkit::fw::hash_of(one.wanted).substr(0, 12));
    } else {
        fmt::print("{} ({}): {} {}\n", name, backend, one.differences.size(),
                   one.differences.size() == 1 ? "difference" : "differences");
    }
    for (const auto& difference : one.differences)
        fmt::print("  {}: {}{}{}: {}\n", kind_word(difference), difference.place,
                   difference.rule.empty() ? "" : ": ", difference.rule,
                   effect_word(difference.effect));
    for (const auto& rule : one.shadowed)
        fmt::print("  shadowed: {}: never decides, {} does before\n", rule.rule, rule.by);
}

Json shadowed_json(const Prepared& one) {
    Json list = Json::array();
    for (const auto& rule : one.shadowed) list.push_back({{"rule", rule.rule}, {"by", rule.by}});
    return list;
}

Json status_json(const Prepared& one) {
    Json list = Json::array();
    for (const auto& difference : one.differences)
        list.push_back({{"kind", kind_word(difference)},
                        {"effect", difference.effect == Effect::wider      ? "wider"
                                   : difference.effect == Effect::narrower ? "narrower"
                                                                           : "none"},
                        {"place", difference.place},
                        {"rule", difference.rule}});
    return {{"interface", one.rules.interface},
            {"backend", to_string(one.rules.backend)},
            {"drift", !one.differences.empty()},
            {"wanted_hash", wgkit::fw::hash_of(one.wanted)},
            {"present_hash", wgkit::fw::hash_of(one.present)},
            {"differences", list},
            {"shadowed", shadowed_json(one)}};
}

void print_prometheus(const std::vector<Prepared>& all) {
    fmt::print("# HELP wgkit_firewall_drift Whether the rules loaded are others than they should "
               "be.\n# TYPE wgkit_firewall_drift gauge\n");
    for (const auto& one : all)
        fmt::print("wgkit_firewall_drift{{interface=\"{}\",backend=\"{}\"}} {}\n",
                   one.rules.interface, to_string(one.rules.backend),
                   one.differences.empty() ? 0 : 1);
    fmt::print("# HELP wgkit_firewall_differences Rules that differ, by what that means.\n"
               "# TYPE wgkit_firewall_differences gauge\n");
    for (const auto& one : all)
        for (const auto& [effect, word] :
             {std::pair(Effect::wider, "wider"), std::pair(Effect::narrower, "narrower"),
              std::pair(Effect::none, "none")}) {
            std::size_t count = 0;
            for (const auto& difference : one.differences) count += difference.effect == effect;
            fmt::print("wgkit_firewall_differences{{interface=\"{}\",effect=\"{}\"}} {}\n",
                       one.rules.interface, word, count);
        }
    fmt::print("# HELP wgkit_firewall_shadowed_rules Rules of the policy that never decide.\n"
               "# TYPE wgkit_firewall_shadowed_rules gauge\n");
    for (const auto& one : all)
        fmt::print("wgkit_firewall_shadowed_rules{{interface=\"{}\"}} {}\n", one.rules.interface,
                   one.shadowed.size());
}

/// What was applied last, if the command line says nothing of rules.
std::optional<std::vector<Prepared>> prepare_applied(const RuleSource& source,
                                                     const Report& report) {
    const auto& interface = source.lockdown.interface;
    auto applied = wgkit::fw::read_applied(wgkit::fw::applied_path(interface));
    if (!applied) {
        report.error(applied.error());
        return std::nullopt;
    }
    if (!*applied) {
        report.error(fmt::format("no rules were applied for {}", interface),
                     "name another --interface, or say what they should be: --node NODE");
        return std::nullopt;
    }
    auto one = prepare(std::move((*applied)->rules), report);
    if (!one) return std::nullopt;
    std::vector<Prepared> all;
    all.push_back(*std::move(one));
    return all;
}

std::optional<std::vector<Prepared>> look(const RuleSource& source, const Report& report) {
    if (!source.is_given()) return prepare_applied(source, report);
    const auto loaded = load_rules(source, report);
    const auto backend = loaded ? choose_backend(source, report) : std::nullopt;
    if (!backend) return std::nullopt;
    return prepare_all(*loaded, *backend, report);
}

int print_status(const StatusOptions& options, const std::vector<Prepared>& all,
                 const Report& report) {
    const auto others = wgkit::fw::other_managers(all.front().rules.backend);
    if (!others) return report.error(others.error());
    bool drift = false;
    Json interfaces = Json::array();
    for (const auto& one : all) {
        drift = drift || !one.differences.empty();
        if (options.json)
            interfaces.push_back(status_json(one));
        else if (options.format == "text")
            print_text(one);
    }
    if (options.json)
        tool::print({{"schema", 1},
                     {"drift", drift},
                     {"interfaces", interfaces},
                     {"other_managers", to_json(*others)}});
    else if (options.format == "prometheus")
        print_prometheus(all);
    if (!options.json) warn_of_others(*others, report);
    return drift ? exit_differences : exit_ok;
}

int run_status(const StatusOptions& options, const Report& report) {
    const auto all = look(options.source, report);
    int status = all ? print_status(options, *all, report) : exit_failed;
    if (options.receivers.config.empty()) return status;
    // Handed over whole, good and bad: wgkit-alert knows what has been told already.
    const auto told =
        deliver(options.receivers, all ? status_events(*all) : blind_event(), to_deliver);
    return told ? status : report.error(told.error());
}

} // namespace

Action setup_status(Arguments arguments) {
    auto options = std::make_shared<StatusOptions>();
    add_source_options(arguments, options->source);
    arguments.add_flag("--json", options->json, "Print the status as JSON");
    arguments.add_option("--format", options->format, "text, or prometheus: metrics")
        .choices({"text", "prometheus"});
    arguments
        .add_option("--alert", options->receivers.config,
                    "Tell those whom this file names, see wgkit-alert(5)")
        .type_name("FILE");
    return [options](const Report& report) { return run_status(*options, report); };
}

} // namespace wgkit::tool::fw
