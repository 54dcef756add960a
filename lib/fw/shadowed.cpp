// Rules that never decide. All rules let through, so one that earlier ones cover changes nothing:
// somebody is mistaken about it, or about its limit.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "fw/origin.hpp"

namespace wgkit::fw {

namespace {

/// The directions that rules are asked for, each by itself.
using Crossing = std::tuple<Hook, bool, bool>;

Crossing crossing_of(const Rule& rule) {
    return {rule.hook, rule.in_tunnel, rule.hook == Hook::forward && rule.out_tunnel};
}

bool covers(const std::vector<Prefix>& prefixes, const std::optional<Prefix>& all) {
    if (prefixes.empty()) return true;
    return all && std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& one) {
               return one.contains(*all);
           });
}

bool covers(const Traffic& a, const Traffic& b) {
    if (!a.protocol) return true;
    return a.protocol == b.protocol && a.first_port <= b.first_port && b.last_port <= a.last_port;
}

/// Earlier rules of one direction, by the sources that they name.
class Earlier {
  public:
    void add(const Rule& rule) {
        if (rule.limit.count != 0) return; // lets only some of it through
        if (rule.from.empty()) any_.push_back(&rule);
        for (const auto& prefix : rule.from) {
            by_source_[prefix.masked()].push_back(&rule);
            lengths_.push_back(prefix.length);
        }
        std::sort(lengths_.begin(), lengths_.end());
        lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
    }
    /// One that lets through all of this; absent: any address.
    const Rule* find(const std::optional<Prefix>& from, const std::optional<Prefix>& to,
                     const Traffic& traffic) const {
        if (const Rule* found = find_in(any_, to, traffic)) return found;
        if (!from) return nullptr;
        for (const auto length : lengths_) {
            if (length > from->length) break;
            const auto at = by_source_.find(Prefix{from->address, length}.masked());
            if (at == by_source_.end()) continue;
            if (const Rule* found = find_in(at->second, to, traffic)) return found;
        }
        return nullptr;
    }

  private:
    static const Rule* find_in(const std::vector<const Rule*>& rules,
                               const std::optional<Prefix>& to, const Traffic& traffic) {
        for (const auto* rule : rules)
            if (covers(rule->to, to)
                && std::any_of(rule->traffic.begin(), rule->traffic.end(),
                               [&](const Traffic& one) { return covers(one, traffic); }))
                return rule;
        return nullptr;
    }

    std::vector<const Rule*> any_;
    std::map<Prefix, std::vector<const Rule*>> by_source_;
    std::vector<std::uint8_t> lengths_;
};

std::vector<std::optional<Prefix>> each_of(const std::vector<Prefix>& prefixes) {
    if (prefixes.empty()) return {std::nullopt};
    return {prefixes.begin(), prefixes.end()};
}

/// The first of the rules that let through all that this one does; null if something is left.
const Rule* decider(const Rule& rule, const Earlier& earlier) {
    const Rule* first = nullptr;
    for (const auto& from : each_of(rule.from))
        for (const auto& to : each_of(rule.to)) {
            const bool is_possible = !from || !to || from->address.family() == to->address.family();
            if (!is_possible) continue;
            for (const auto& traffic : rule.traffic) {
                const Rule* found = earlier.find(from, to, traffic);
                if (found == nullptr) return nullptr;
                if (first == nullptr) first = found;
            }
        }
    return first;
}

} // namespace

std::vector<ShadowedRule> shadowed_rules(const Ruleset& ruleset) {
    struct Found {
        std::string rule;
        const Rule* by;
    };
    std::map<Crossing, Earlier> earlier;
    std::vector<Found> found; // in order; of rules with more than one direction the first
    std::map<std::string, std::size_t> places;
    std::size_t number = 0;
    for (const auto& rule : ruleset.rules) {
        auto& before = earlier[crossing_of(rule)];
        const Rule* by = decider(rule, before);
        const std::string origin = origin_of(ruleset, rule);
        // Without a place in a file each is a rule of its own.
        const std::string name =
            rule.mark.line == 0 ? origin + '\0' + std::to_string(number++) : origin;
        const auto [at, is_new] = places.emplace(name, found.size());
        if (is_new)
            found.push_back({origin, by});
        else if (by == nullptr)
            found[at->second].by = nullptr;
        before.add(rule);
    }
    std::vector<ShadowedRule> shadowed;
    for (const auto& one : found)
        if (one.by != nullptr) shadowed.push_back({one.rule, origin_of(ruleset, *one.by)});
    return shadowed;
}

} // namespace wgkit::fw
