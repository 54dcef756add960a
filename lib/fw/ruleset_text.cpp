// Rulesets as JSON: from where a policy is compiled to where its rules are loaded.
#include <fmt/format.h>

#include <limits>

#include "fw/interface.hpp"
#include "util/json_text.hpp"
#include "wgkit/firewall.hpp"

namespace wgkit::fw {

namespace {

using RulesetJson = nlohmann::ordered_json;

constexpr int ruleset_schema = 1;

/// Thrown by readers of parts, and caught with the exceptions of the library.
struct BadPart {};

template <class Number>
Number number_of(const RulesetJson& json) {
    if (!json.is_number_unsigned()
        || json.get<std::uint64_t>() > std::numeric_limits<Number>::max())
        throw BadPart();
    return json.get<Number>();
}

RulesetJson texts_of(const std::vector<Prefix>& prefixes) {
    RulesetJson list = RulesetJson::array();
    for (const auto& prefix : prefixes) list.push_back(to_string(prefix));
    return list;
}

std::vector<Prefix> prefixes_of(const RulesetJson& list) {
    std::vector<Prefix> prefixes;
    for (const auto& text : list) {
        const auto prefix = Prefix::parse(text.get<std::string>());
        if (!prefix) throw BadPart();
        prefixes.push_back(*prefix);
    }
    return prefixes;
}

RulesetJson json_of(const Traffic& traffic) {
    return {{"protocol", traffic.protocol ? RulesetJson(*traffic.protocol) : RulesetJson()},
            {"first", traffic.first_port},
            {"last", traffic.last_port}};
}

Traffic read_traffic(const RulesetJson& json) {
    Traffic traffic;
    if (!json.at("protocol").is_null())
        traffic.protocol = number_of<std::uint8_t>(json.at("protocol"));
    traffic.first_port = number_of<std::uint16_t>(json.at("first"));
    traffic.last_port = number_of<std::uint16_t>(json.at("last"));
    return traffic;
}

RulesetJson json_of(const Rule& rule) {
    RulesetJson traffic = RulesetJson::array();
    for (const auto& one : rule.traffic) traffic.push_back(json_of(one));
    return {{"hook", rule.hook == Hook::input ? "input" : "forward"},
            {"inTunnel", rule.in_tunnel},
            {"outTunnel", rule.out_tunnel},
            {"from", texts_of(rule.from)},
            {"to", texts_of(rule.to)},
            {"traffic", std::move(traffic)},
            {"text", rule.text},
            {"line", rule.mark.line},
            {"column", rule.mark.column},
            {"vouchedBy", rule.vouched_by},
            {"log", rule.log},
            {"limit", rule.limit.count},
            {"limitSeconds", rule.limit.seconds}};
}

Rule read_rule(const RulesetJson& json) {
    Rule rule;
    const std::string hook = json.at("hook");
    if (hook != "input" && hook != "forward") throw BadPart();
    rule.hook = hook == "input" ? Hook::input : Hook::forward;
    rule.in_tunnel = json.at("inTunnel");
    rule.out_tunnel = json.at("outTunnel");
    rule.from = prefixes_of(json.at("from"));
    rule.to = prefixes_of(json.at("to"));
    for (const auto& one : json.at("traffic")) rule.traffic.push_back(read_traffic(one));
    rule.text = json.at("text");
    rule.mark = {number_of<std::uint32_t>(json.at("line")),
                 number_of<std::uint32_t>(json.at("column"))};
    rule.vouched_by = json.at("vouchedBy").get<std::vector<std::string>>();
    rule.log = json.at("log");
    rule.limit = {number_of<std::uint32_t>(json.at("limit")),
                  number_of<std::uint32_t>(json.at("limitSeconds"))};
    return rule;
}

RulesetJson json_of(const Ruleset& ruleset) {
    RulesetJson rules = RulesetJson::array();
    for (const auto& rule : ruleset.rules) rules.push_back(json_of(rule));
    return {{"node", ruleset.node},
            {"file", ruleset.file},
            {"interface", ruleset.interface},
            {"listenPort", ruleset.listen_port},
            {"secondInterface", ruleset.second_interface},
            {"secondPort", ruleset.second_port},
            {"pools", texts_of(ruleset.pools)},
            {"rules", std::move(rules)},
            {"filterForward", ruleset.filter_forward},
            {"closed", ruleset.closed},
            {"ping", ruleset.ping},
            {"log", ruleset.log},
            {"clampMss", ruleset.clamp_mss},
            {"masquerade", texts_of(ruleset.masquerade)},
            {"unmasked", texts_of(ruleset.unmasked)}};
}

Ruleset read_ruleset(const RulesetJson& json) {
    Ruleset ruleset;
    ruleset.node = json.at("node");
    ruleset.file = json.at("file");
    ruleset.interface = json.at("interface");
    if (!check_interface(ruleset.interface)) throw BadPart();
    ruleset.listen_port = number_of<std::uint16_t>(json.at("listenPort"));
    ruleset.second_interface = json.at("secondInterface");
    if (!ruleset.second_interface.empty() && !check_interface(ruleset.second_interface))
        throw BadPart();
    ruleset.second_port = number_of<std::uint16_t>(json.at("secondPort"));
    ruleset.pools = prefixes_of(json.at("pools"));
    for (const auto& rule : json.at("rules")) ruleset.rules.push_back(read_rule(rule));
    ruleset.filter_forward = json.at("filterForward");
    ruleset.closed = json.at("closed");
    ruleset.ping = json.at("ping");
    ruleset.log = json.at("log");
    ruleset.clamp_mss = json.at("clampMss");
    ruleset.masquerade = prefixes_of(json.at("masquerade"));
    ruleset.unmasked = prefixes_of(json.at("unmasked"));
    return ruleset;
}

} // namespace

std::string to_text(const std::vector<Ruleset>& rulesets) {
    RulesetJson list = RulesetJson::array();
    for (const auto& ruleset : rulesets) list.push_back(json_of(ruleset));
    const RulesetJson json{{"schema", ruleset_schema}, {"rulesets", std::move(list)}};
    return json_text::dump(json, 1) + "\n";
}

Result<std::vector<Ruleset>> parse_rulesets(std::string_view text, const std::string& file) {
    const Error bad{Errc::invalid, fmt::format("{} has no rules as wgkit writes them", file),
                    "`wgkit fw --node NODE --json` writes them"};
    try {
        const auto json = json_text::parse_ordered(text);
        if (json.at("schema") != ruleset_schema) return bad;
        std::vector<Ruleset> rulesets;
        for (const auto& one : json.at("rulesets")) rulesets.push_back(read_ruleset(one));
        return rulesets;
    } catch (const RulesetJson::exception&) {
        return bad;
    } catch (const BadPart&) {
        return bad;
    }
}

} // namespace wgkit::fw
