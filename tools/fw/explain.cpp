#include <fmt/format.h>

#include "common/json.hpp"
#include "fw/commands.hpp"
#include "fw/policy_file.hpp"

namespace wgkit::tool::fw {

using namespace wgkit::fw;

namespace {

struct ExplainOptions {
    std::string flow;
    std::string nodes = "nodes.yaml";
    bool json = false;
};

const char* verdict_word(Decision::Verdict verdict) {
    switch (verdict) {
    case Decision::Verdict::accept:
        return "accept";
    case Decision::Verdict::drop:
        return "drop";
    case Decision::Verdict::pass:
        return "pass";
    }
    return "";
}

std::string because(const Step& step) {
    const auto& decision = step.decision;
    if (decision.rule == nullptr) return std::string(decision.reason);
    return fmt::format("{}:{}:{}: {}", step.ruleset.file, decision.rule->mark.line,
                       decision.rule->mark.column, decision.rule->text);
}

std::string direction(const Packet& packet, const std::string& interface) {
    if (packet.hook == Hook::input)
        return packet.in_tunnel ? "in on " + interface : "in from outside";
    if (packet.in_tunnel && packet.out_tunnel) return fmt::format("forward within {}", interface);
    return packet.in_tunnel ? fmt::format("forward from {}", interface)
                            : fmt::format("forward into {}", interface);
}

void print_text(const Explanation& one) {
    fmt::print("{} -> {}: {}: {}\n", to_string(one.source), to_string(one.destination),
               to_string(one.traffic), one.allowed ? "allowed" : "not allowed");
    if (!one.problem.empty()) fmt::print("  {}\n", one.problem);
    for (const auto& step : one.steps) {
        fmt::print("  {} {}: {}\n    {}\n", step->node,
                   direction(step->packet, step->ruleset.interface),
                   verdict_word(step->decision.verdict), because(*step));
        if (!step->vouched_by.empty())
            fmt::print("    the source is vouched by {}\n", step->vouched_by);
    }
}

Json explanation_json(const Explanation& one) {
    Json steps = Json::array();
    for (const auto& step : one.steps) {
        const auto* rule = step->decision.rule;
        steps.push_back(
            {{"node", step->node},
             {"interface", step->ruleset.interface},
             {"hook", step->packet.hook == Hook::input ? "input" : "forward"},
             {"in_tunnel", step->packet.in_tunnel},
             {"out_tunnel", step->packet.out_tunnel},
             {"verdict", verdict_word(step->decision.verdict)},
             {"line", rule != nullptr ? Json(rule->mark.line) : Json()},
             {"rule", rule != nullptr ? Json(rule->text) : Json()},
             {"reason", std::string(step->decision.reason)},
             {"vouched_by", step->vouched_by.empty() ? Json() : Json(step->vouched_by)}});
    }
    return {{"network", one.network},
            {"source", to_string(one.source)},
            {"destination", to_string(one.destination)},
            {"traffic", to_string(one.traffic)},
            {"allowed", one.allowed},
            {"problem", one.problem.empty() ? Json() : Json(one.problem)},
            {"steps", steps}};
}

int explain(const ExplainOptions& options, const Report& report) {
    const auto loaded = load_policy(options.nodes, report);
    if (!loaded) return exit_failed;
    const auto found = loaded->policy->explain(options.flow);
    if (!found) return report.error(found.error());
    bool all = true;
    Json list = Json::array();
    for (const auto& one : *found) {
        all = all && one.allowed;
        if (options.json)
            list.push_back(explanation_json(one));
        else
            print_text(one);
    }
    if (options.json) tool::print({{"schema", 1}, {"explanations", list}});
    return all ? exit_ok : exit_differences;
}

} // namespace

Action setup_explain(Arguments arguments) {
    auto options = std::make_shared<ExplainOptions>();
    arguments
        .add_option("flow", options->flow, "In quotes: 'FROM -> TO: PORTS', e.g. 'a -> b: 22/tcp'")
        .required()
        .type_name("FLOW");
    arguments.add_option("nodes", options->nodes, "The inventory")
        .type_name("FILE")
        .shows_default();
    arguments.add_flag("--json", options->json, "Print the explanation as JSON");
    return [options](const Report& report) { return explain(*options, report); };
}

} // namespace wgkit::tool::fw
