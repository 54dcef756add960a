#include <fmt/format.h>

#include <memory>

#include "common/json.hpp"
#include "fw/commands.hpp"
#include "wgkit/firewall_state.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::UfwFinding;

namespace {

struct AnalyzeOptions {
    std::string folder = "/etc/ufw";
    bool json = false;
};

void print_finding(const UfwFinding& one) {
    fmt::print("[{}] {} {}: [{}] {} comes first{}\n", one.number, one.rule,
               one.is_contrary ? "never matches" : "is not needed", one.first_number,
               one.first_rule, one.is_ipv6 ? " (IPv6)" : "");
}

int run_analyze(const AnalyzeOptions& options, const Report& report) {
    const auto found = wgkit::fw::analyze_ufw(options.folder);
    if (!found) return report.error(found.error());
    Json list = Json::array();
    for (const auto& one : *found) {
        if (options.json)
            list.push_back({{"number", one.number},
                            {"rule", one.rule},
                            {"decided_by", one.first_number},
                            {"deciding_rule", one.first_rule},
                            {"kind", one.is_contrary ? "dead" : "redundant"},
                            {"family", one.is_ipv6 ? "ipv6" : "ipv4"}});
        else
            print_finding(one);
    }
    if (options.json) tool::print({{"schema", 1}, {"findings", list}});
    if (!found->empty() && !options.json)
        report.note("ufw asks its rules in the order of `ufw status numbered`; the first that "
                    "matches decides");
    return found->empty() ? exit_ok : exit_differences;
}

} // namespace

Action setup_analyze(Arguments arguments) {
    auto options = std::make_shared<AnalyzeOptions>();
    arguments.add_option("folder", options->folder, "Where user.rules and user6.rules are")
        .type_name("FOLDER")
        .shows_default();
    arguments.add_flag("--json", options->json, "Print the findings as JSON");
    return [options](const Report& report) { return run_analyze(*options, report); };
}

} // namespace wgkit::tool::fw
