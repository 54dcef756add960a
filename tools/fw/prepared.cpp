#include "fw/prepared.hpp"

#include <fmt/format.h>

namespace wgkit::tool::fw {

using wgkit::fw::Backend;
using wgkit::fw::Difference;
using Kind = Difference::Kind;
using Effect = Difference::Effect;

namespace {

struct ChangeWords {
    char sign;
    const char* name; ///< in JSON
};

ChangeWords words_for(Kind kind) {
    switch (kind) {
    case Kind::missing:
        return {'+', "add"};
    case Kind::extra:
        return {'-', "remove"};
    case Kind::moved:
        return {'~', "move"};
    }
    return {'?', ""};
}

/// What making the difference go away does; the opposite of what the difference does.
const char* change_effect(Effect effect) {
    switch (effect) {
    case Effect::narrower:
        return "lets more through";
    case Effect::wider:
        return "lets less through";
    case Effect::none:
        return "";
    }
    return "";
}

} // namespace

std::optional<Prepared> prepare(wgkit::fw::RuleText rules, const Report& report) {
    auto wanted = wgkit::fw::listed(rules);
    if (!wanted) {
        report.error(wanted.error());
        return std::nullopt;
    }
    auto present = wgkit::fw::read_rules(rules.interface, rules.backend);
    if (!present) {
        report.error(present.error());
        return std::nullopt;
    }
    auto differences = wgkit::fw::compare(*wanted, *present);
    return Prepared{std::move(rules), *std::move(wanted), *std::move(present),
                    std::move(differences)};
}

std::optional<Backend> choose_backend(const RuleSource& source, const Report& report) {
    if (const auto named = source.backend()) return named;
    const auto found = wgkit::fw::backend_in_use();
    if (found) return *found;
    report.error(found.error());
    return std::nullopt;
}

std::optional<std::vector<Prepared>> prepare_all(const LoadedRules& loaded, Backend backend,
                                                 const Report& report) {
    const auto around = wgkit::fw::read_surroundings(backend);
    if (!around) {
        report.error(around.error());
        return std::nullopt;
    }
    std::vector<Prepared> all;
    for (const auto& ruleset : loaded.rulesets) {
        auto rules = wgkit::fw::rules_of(ruleset, backend, *around);
        if (!rules) {
            report.error(rules.error());
            return std::nullopt;
        }
        auto one = prepare(*std::move(rules), report);
        if (!one) return std::nullopt;
        all.push_back(*std::move(one));
    }
    return all;
}

void warn_of_others(const std::vector<wgkit::fw::OtherManager>& others, const Report& report) {
    for (const auto& other : others) report.warning(fmt::format("{} {}", other.name, other.effect));
}

Json to_json(const std::vector<wgkit::fw::OtherManager>& others) {
    Json list = Json::array();
    for (const auto& other : others)
        list.push_back({{"name", other.name}, {"effect", other.effect}});
    return list;
}

void print_change(const Prepared& one) {
    if (one.differences.empty()) return;
    fmt::print("{} ({}):\n", one.rules.interface, to_string(one.rules.backend));
    for (const auto& difference : one.differences) {
        const std::string effect = change_effect(difference.effect);
        fmt::print("  {} {}{}{}{}\n", words_for(difference.kind).sign, difference.place,
                   difference.rule.empty() ? "" : ": ", difference.rule,
                   effect.empty() ? "" : fmt::format("  ({})", effect));
    }
}

Json change_json(const Prepared& one) {
    Json changes = Json::array();
    for (const auto& difference : one.differences)
        changes.push_back({{"change", words_for(difference.kind).name},
                           {"place", difference.place},
                           {"rule", difference.rule},
                           {"effect", change_effect(difference.effect)}});
    return {{"interface", one.rules.interface},
            {"backend", to_string(one.rules.backend)},
            {"hash", wgkit::fw::hash_of(one.wanted)},
            {"present_hash", wgkit::fw::hash_of(one.present)},
            {"changes", changes}};
}

} // namespace wgkit::tool::fw
