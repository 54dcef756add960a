#include "mesh/inventory/topology_reader.hpp"

#include <optional>

#include "mesh/inventory/field_reader.hpp"

namespace wgkit::mesh {

using Kind = TopologyRule::Kind;

namespace {

enum class Shape { full_mesh, hub_and_spoke, site_to_site };

constexpr field::Choice<Shape> shapes[] = {{"full-mesh", Shape::full_mesh},
                                           {"hub-and-spoke", Shape::hub_and_spoke},
                                           {"site-to-site", Shape::site_to_site}};

TopologyRule rule_for(Shape shape, Mark mark) {
    const Selector all{{"all", mark}};
    switch (shape) {
    case Shape::hub_and_spoke:
        return {Kind::hub, {{"tag:hub", mark}}, all, mark};
    case Shape::site_to_site:
        return {Kind::sites, all, {}, mark};
    case Shape::full_mesh:
        break;
    }
    return {Kind::mesh, all, {}, mark};
}

/// One link as [a, b], or a list of such.
Selector read_links(const yaml::Value& value, Diagnostics& d) {
    if (!field::expect(value, yaml::Kind::sequence, d)) return {};
    if (!value.items.empty() && value.items.front().kind == yaml::Kind::sequence) {
        Selector ends;
        for (const auto& item : value.items) {
            const Selector pair = read_links(item, d);
            ends.insert(ends.end(), pair.begin(), pair.end());
        }
        return ends;
    }
    auto ends = field::texts(value, d).value_or(Selector{});
    if (ends.size() == 2) return ends;
    d.error("bad-value", value.mark, "a link has two ends: [a, b]");
    return {};
}

std::optional<TopologyRule> read_rule(const yaml::Value& value, Diagnostics& d) {
    if (!field::expect(value, yaml::Kind::map, d)) return std::nullopt;
    TopologyRule rule;
    rule.mark = value.mark;
    bool chosen = false;
    for (const auto& [key, mark, part] : value.members) {
        if (key == "spokes") {
            rule.second = field::texts(part, d).value_or(Selector{});
            continue;
        }
        if (key == "mesh")
            rule.kind = Kind::mesh;
        else if (key == "hub")
            rule.kind = Kind::hub;
        else if (key == "sites")
            rule.kind = Kind::sites;
        else if (key == "links")
            rule.kind = Kind::links;
        else {
            field::unknown(key, mark, {"mesh", "hub", "spokes", "sites", "links"}, d);
            continue;
        }
        if (chosen) d.error("bad-value", mark, "one rule says one thing: start a new list item");
        chosen = true;
        rule.first = rule.kind == Kind::links ? read_links(part, d)
                                              : field::texts(part, d).value_or(Selector{});
    }
    const bool is_hub = rule.kind == Kind::hub;
    if (chosen && is_hub == (value.find("spokes") != nullptr)) return rule;
    if (chosen || value.members.empty())
        d.error("missing-field", value.mark,
                is_hub ? "a hub rule needs spokes" : "spokes belong to a hub rule");
    return std::nullopt;
}

} // namespace

std::vector<TopologyRule> read_topology(const yaml::Value& value, Diagnostics& diagnostics) {
    std::vector<TopologyRule> rules;
    if (value.kind == yaml::Kind::scalar) {
        if (const auto shape = field::choice(value, shapes, diagnostics))
            rules.push_back(rule_for(*shape, value.mark));
    } else if (field::expect(value, yaml::Kind::sequence, diagnostics)) {
        for (const auto& item : value.items) {
            if (item.kind == yaml::Kind::scalar) {
                if (const auto shape = field::choice(item, shapes, diagnostics))
                    rules.push_back(rule_for(*shape, item.mark));
            } else if (auto rule = read_rule(item, diagnostics)) {
                rules.push_back(std::move(*rule));
            }
        }
    }
    return rules;
}

} // namespace wgkit::mesh
