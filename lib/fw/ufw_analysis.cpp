// What is wrong with the rules that ufw has: lists in which the first match decides.
#include <fmt/format.h>

#include "fw/running.hpp"
#include "fw/ufw_rules.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit::fw {

namespace {

Result<std::vector<UfwRule>> read_ufw_rules(const std::string& folder, Family family) {
    const auto path = fmt::format("{}/user{}.rules", folder, family == Family::ipv4 ? "" : "6");
    const auto text = files::read(path);
    if (!text) {
        Error error = text.error();
        if (error.code == Errc::not_found) error.hint = "is ufw installed?";
        return error;
    }
    return parse_ufw_rules({text->data(), text->size()});
}

bool lets_through(const UfwRule& rule) {
    return rule.action == UfwRule::Action::allow || rule.action == UfwRule::Action::limit;
}

} // namespace

Result<std::optional<std::string>> ufw_refuses(const Connection& connection) {
    const auto around = read_surroundings(Backend::ufw);
    if (!around) return around.error();
    const Family family = connection.client.family();
    if (family == Family::ipv6 && !around->ufw_ipv6) return std::optional<std::string>();
    const auto rules = read_ufw_rules("/etc/ufw", family);
    if (!rules) return rules.error();
    const UfwRule* rule = deciding_rule(*rules, connection);
    if (rule != nullptr && lets_through(*rule)) return std::optional<std::string>();
    const auto file = files::read("/etc/default/ufw");
    if (!file) return file.error();
    const std::string_view defaults(file->data(), file->size());
    if (rule == nullptr
        && defaults.find("\nDEFAULT_INPUT_POLICY=\"ACCEPT\"") != std::string_view::npos)
        return std::optional<std::string>();
    return std::optional(fmt::format(
        "ufw, once enabled, would cut the SSH connection from {} to port {}: {}",
        to_string(connection.client), connection.port,
        rule != nullptr ? fmt::format("its rule '{}'", rule->text) : "no rule of it allows that"));
}

Result<std::vector<UfwFinding>> analyze_ufw(const std::string& folder) {
    std::vector<UfwFinding> found;
    std::size_t before = 0; // `ufw status numbered` counts IPv6 rules on
    for (const Family family : families) {
        const auto rules = read_ufw_rules(folder, family);
        if (!rules) return rules.error();
        for (std::size_t later = 0; later < rules->size(); ++later)
            for (std::size_t first = 0; first < later; ++first) {
                const auto& a = (*rules)[first];
                const auto& b = (*rules)[later];
                if (!covers(a, b)) continue;
                found.push_back({before + later + 1, b.text, before + first + 1, a.text,
                                 lets_through(a) != lets_through(b), family == Family::ipv6});
                break;
            }
        before += rules->size();
    }
    return found;
}

} // namespace wgkit::fw
