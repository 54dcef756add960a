// What `topology:` names: nodes and tags that are not there, links with oneself, hubs that are off.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "mesh/check/checks.hpp"
#include "mesh/check/nearest_name.hpp"
#include "mesh/links.hpp"
#include "util/ascii.hpp"

namespace wgkit::mesh {

using Kind = TopologyRule::Kind;

namespace {

constexpr std::string_view tag_prefix = "tag:";

class Selectors {
  public:
    Selectors(const Network& network, Diagnostics& d) : d_(d), nearest_(names_of(network)) {
        for (const auto& node : network.nodes) {
            names_.insert(node.name.value);
            for (const auto& tag : node.tags) tags_.insert(tag.value);
        }
    }

    void check(const Located<std::string>& term, bool only_names) {
        const std::string_view word = term.value;
        if (!only_names && word == "all") return;
        if (!only_names && word.starts_with(tag_prefix))
            check_tag(word.substr(tag_prefix.size()), term.mark);
        else if (!names_.contains(word))
            report_name(word, only_names, term.mark);
    }

  private:
    static std::vector<std::string_view> names_of(const Network& network) {
        std::vector<std::string_view> names;
        for (const auto& node : network.nodes) names.push_back(node.name.value);
        return names;
    }

    void check_tag(std::string_view tag, Mark mark) {
        if (tags_.contains(tag)) return;
        auto& found = d_.error("unknown-tag", mark, fmt::format("no node has the tag '{}'", tag));
        const auto near = ascii::nearest(tag, {tags_.begin(), tags_.end()});
        found.hint = near ? fmt::format("did you mean 'tag:{}'?", *near)
                          : fmt::format("add `tags: [{}]` to the nodes that are meant", tag);
    }

    void report_name(std::string_view name, bool only_names, Mark mark) {
        auto& found = d_.error("unknown-node", mark, fmt::format("no node '{}'", name));
        if (!only_names && tags_.contains(name))
            found.hint = fmt::format("the tag of this name is 'tag:{}'", name);
        else
            found.hint = nearest_.hint(name);
    }

    Diagnostics& d_;
    NearestName nearest_;
    std::unordered_set<std::string_view> names_;
    std::unordered_set<std::string_view> tags_;
};

/// A rule whose hubs are all off cuts its spokes off from everyone.
void check_hubs(const TopologyRule& rule, const Network& network, Date today, Diagnostics& d) {
    const Node* off = nullptr;
    for (const auto& node : network.nodes) {
        const bool hub = std::any_of(rule.first.begin(), rule.first.end(),
                                     [&](const auto& term) { return selects(term.value, node); });
        if (hub && is_active(node, today)) return;
        if (hub && off == nullptr) off = &node;
    }
    if (off == nullptr) return; // nothing is selected: reported as unknown
    auto& found = d.error("depends-on-inactive", rule.first.front().mark,
                          "no hub of this rule is active, so its spokes are cut off");
    found.notes.push_back({{},
                           off->disabled ? off->marks.disabled : off->expires->mark,
                           fmt::format("{} is off", off->name.value)});
    found.hint = "name another hub, or put this one back in service";
}

} // namespace

void check_selectors(const Network& network, Date today, Diagnostics& diagnostics) {
    Selectors selectors(network, diagnostics);
    for (const auto& rule : network.topology) {
        const bool links = rule.kind == Kind::links;
        for (const auto& term : rule.first) selectors.check(term, links);
        for (const auto& term : rule.second) selectors.check(term, false);
        if (rule.kind == Kind::hub) check_hubs(rule, network, today, diagnostics);
        for (std::size_t i = 1; links && i < rule.first.size(); i += 2)
            if (rule.first[i].value == rule.first[i - 1].value)
                diagnostics
                    .error("own-peer", rule.first[i].mark,
                           fmt::format("this links {} with itself", rule.first[i].value))
                    .hint = "name the node at the other end, or remove the link";
    }
}

} // namespace wgkit::mesh
