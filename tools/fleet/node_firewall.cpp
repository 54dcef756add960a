// The firewall of this node, by wgkit-fw: what rules would change, and the change.
#include <fmt/format.h>

#include <algorithm>

#include "common/exit_code.hpp"
#include "common/json.hpp"
#include "crypto/sha256.hpp"
#include "fleet/node.hpp"
#include "util/child.hpp"
#include "util/own_program.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeAnswer;
using wgkit::fleet::NodeFirewall;
using wgkit::fleet::NodeRequest;
using wgkit::fleet::WantedFirewall;

namespace {

constexpr auto fw_patience = std::chrono::minutes(2);
constexpr std::size_t fw_output = std::size_t{16} << 20;
/// The least that `wgkit fw apply --confirm` takes.
constexpr std::chrono::seconds least_confirm{5};

Result<ChildEnd> run_fw(std::vector<std::string> words, const std::string& rules) {
    words.insert(words.begin(), own_program("wgkit-fw"));
    words.insert(words.end(), {"--rules", "-"});
    auto ran = run_child(words, rules, fw_patience, fw_output);
    if (!ran) return ran;
    if (ran->status == 0 || ran->status == exit_differences) return ran;
    return failure_of("wgkit fw " + words[1], ran->errors);
}

std::string line_of(const Json& change) {
    const auto what = change.value("change", "");
    const auto rule = change.value("rule", "");
    const auto effect = change.value("effect", "");
    return fmt::format("{} {}{}{}{}",
                       what == "add"      ? '+'
                       : what == "remove" ? '-'
                                          : '~',
                       change.value("place", ""), rule.empty() ? "" : ": ", rule,
                       effect.empty() ? "" : fmt::format(" ({})", effect));
}

} // namespace

Result<NodeFirewall> plan_firewall(const WantedFirewall& wanted, NodeAnswer& answer) {
    const auto ran = run_fw({"plan", "--json"}, wanted.rules);
    if (!ran) return ran.error();
    const auto json = Json::parse(ran->output.begin(), ran->output.end(), nullptr, false);
    if (!json.is_object() || !json.contains("interfaces"))
        return Error{Errc::invalid, "wgkit fw plan did not say what would change", {}};
    NodeFirewall firewall;
    std::string hashes;
    for (const auto& one : json["interfaces"]) {
        firewall.backend = one.value("backend", "");
        hashes += firewall.backend + " " + one.value("present_hash", "") + "\n";
        for (const auto& change : one["changes"]) firewall.changes.push_back(line_of(change));
    }
    if (json.value("enables_ufw", false)) firewall.changes.emplace_back("+ ufw is enabled");
    firewall.state_hash = crypto::sha256_hex(hashes);
    for (const auto& other : json.value("other_managers", Json::array()))
        answer.warnings.push_back(
            fmt::format("{} {}", other.value("name", ""), other.value("effect", "")));
    if (json["cuts_ssh"].is_string())
        answer.warnings.push_back("apply would refuse it: " + json["cuts_ssh"].get<std::string>());
    return firewall;
}

Result<void> apply_firewall(const NodeRequest& request) {
    const auto& wanted = *request.firewall;
    NodeAnswer said;
    const auto present = plan_firewall(wanted, said);
    if (!present) return present.error();
    if (!wanted.state_hash.empty() && present->state_hash != wanted.state_hash)
        return Error{Errc::conflict, "the firewall is no longer as it was when the plan was made",
                     "somebody else has changed it; make a new plan"};
    if (present->changes.empty()) return {};
    std::vector<std::string> words{"apply"};
    if (request.confirm.count() != 0) {
        words.emplace_back("--confirm");
        words.push_back(std::to_string(std::max(request.confirm, least_confirm).count()));
    }
    const auto ran = run_fw(std::move(words), wanted.rules);
    return ran ? Result<void>() : ran.error();
}

} // namespace wgkit::tool::fleet
