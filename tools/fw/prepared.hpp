#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "fw/rule_source.hpp"

namespace wgkit::tool::fw {

/// The rules of one interface: as they should be and as they are.
struct Prepared {
    wgkit::fw::RuleText rules;   ///< to be loaded
    wgkit::fw::RuleText wanted;  ///< as the firewall would list them
    wgkit::fw::RuleText present; ///< as it lists them now
    std::vector<wgkit::fw::Difference> differences;
    std::vector<wgkit::fw::ShadowedRule> shadowed; ///< if the rulesets are known
};

/// Errors: printed.
std::optional<Prepared> prepare(wgkit::fw::RuleText rules, const Report& report);

/// The back end that is asked for, or the one in use. Errors: printed.
std::optional<wgkit::fw::Backend> choose_backend(const RuleSource& source, const Report& report);

/// Every interface of a node or of the options. Errors: printed.
std::optional<std::vector<Prepared>> prepare_all(const LoadedRules& loaded,
                                                 wgkit::fw::Backend backend, const Report& report);

/// "tells of other firewalls that can overrule these rules", as warnings.
void warn_of_others(const std::vector<wgkit::fw::OtherManager>& others, const Report& report);

Json to_json(const std::vector<wgkit::fw::OtherManager>& others);
/// Lines with + - and ~, or nothing.
void print_change(const Prepared& one);
Json change_json(const Prepared& one);

} // namespace wgkit::tool::fw
