#include "fw/nft_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "fw/constants.hpp"

namespace wgkit::fw {

namespace {

/// One element: what a packet's fields must be.
struct Tuple {
    Prefix from;
    Prefix to;
    Traffic traffic;

    auto operator<=>(const Tuple&) const = default;
};

bool is_host(const Prefix& prefix) { return prefix.length == prefix.address.bits(); }

bool overlap(const Tuple& a, const Tuple& b) {
    const auto prefixes = [](const Prefix& x, const Prefix& y) {
        return x.contains(y) || y.contains(x);
    };
    return a.traffic.protocol == b.traffic.protocol && a.traffic.first_port <= b.traffic.last_port
           && b.traffic.first_port <= a.traffic.last_port && prefixes(a.from, b.from)
           && prefixes(a.to, b.to);
}

bool covers(const Tuple& a, const Tuple& b) {
    return a.from.contains(b.from) && a.to.contains(b.to)
           && (!a.traffic.protocol || a.traffic.protocol == b.traffic.protocol)
           && a.traffic.first_port <= b.traffic.first_port
           && b.traffic.last_port <= a.traffic.last_port;
}

/// Which fields a set has; those that match everything are left out.
struct Shape {
    Family family = Family::ipv4;
    bool protocol = false;
    bool port = false;
    bool exact = false;

    auto operator<=>(const Shape&) const = default;
};

Shape shape_of(const Tuple& tuple) {
    Shape shape;
    shape.family = tuple.from.address.family();
    shape.protocol = tuple.traffic.protocol.has_value();
    shape.port = shape.protocol && !tuple.traffic.has_all_ports();
    shape.exact = is_host(tuple.from) && is_host(tuple.to)
                  && (!shape.port || tuple.traffic.first_port == tuple.traffic.last_port);
    return shape;
}

std::vector<Prefix> or_everything(const std::vector<Prefix>& prefixes, Family family) {
    std::vector<Prefix> list;
    for (const auto& prefix : prefixes)
        if (prefix.address.family() == family) list.push_back(prefix);
    if (prefixes.empty()) {
        const std::uint8_t none[16] = {};
        const std::size_t size = family == Family::ipv4 ? 4 : 16;
        list.push_back({IpAddress::from_bytes(family, std::span(none).first(size)), 0});
    }
    return list;
}

bool is_of_family(const Traffic& traffic, Family family) {
    return !traffic.protocol || (*traffic.protocol != icmp && *traffic.protocol != icmpv6)
           || *traffic.protocol == icmp_protocol(family);
}

void append(fmt::memory_buffer& text, std::string_view part) {
    text.append(part.data(), part.data() + part.size());
}

void append(fmt::memory_buffer& text, const Tuple& tuple, const Shape& shape) {
    const auto prefix = [&](const Prefix& one) {
        append(text, is_host(one) ? to_string(one.address) : to_string(one));
    };
    prefix(tuple.from);
    append(text, " . ");
    prefix(tuple.to);
    auto out = std::back_inserter(text);
    if (shape.protocol) fmt::format_to(out, " . {}", *tuple.traffic.protocol);
    if (!shape.port) return;
    if (tuple.traffic.first_port == tuple.traffic.last_port)
        fmt::format_to(out, " . {}", tuple.traffic.first_port);
    else
        fmt::format_to(out, " . {}-{}", tuple.traffic.first_port, tuple.traffic.last_port);
}

NftSet make_set(const std::vector<const Tuple*>& tuples, const Shape& shape,
                const std::string& name) {
    const bool v4 = shape.family == Family::ipv4;
    fmt::memory_buffer text;
    auto out = std::back_inserter(text);
    const char* address = v4 ? "ipv4_addr" : "ipv6_addr";
    fmt::format_to(out, "  set {} {{\n    type {} . {}{}{};\n", name, address, address,
                   shape.protocol ? " . inet_proto" : "", shape.port ? " . inet_service" : "");
    append(text, shape.exact ? "" : "    flags interval;\n");
    append(text, "    elements = {\n");
    for (const auto* tuple : tuples) {
        append(text, "      ");
        append(text, *tuple, shape);
        append(text, ",\n");
    }
    append(text, "    }\n  }\n");
    const char* layer = v4 ? "ip" : "ip6";
    return {fmt::to_string(text), fmt::format("{} saddr . {} daddr{}{} @{}", layer, layer,
                                              shape.protocol ? " . meta l4proto" : "",
                                              shape.port ? " . th dport" : "", name)};
}

/// Sets of intervals refuse elements that overlap: those go into another set of the same shape.
std::vector<std::vector<const Tuple*>> layers_of(const std::vector<const Tuple*>& tuples) {
    std::vector<std::vector<const Tuple*>> layers;
    for (const auto* tuple : tuples) {
        const auto fits = [&](const auto& layer) {
            return std::none_of(layer.begin(), layer.end(),
                                [&](const auto* other) { return overlap(*tuple, *other); });
        };
        const auto layer = std::find_if(layers.begin(), layers.end(), fits);
        if (layer != layers.end())
            layer->push_back(tuple);
        else
            layers.push_back({tuple});
    }
    return layers;
}

} // namespace

std::vector<NftSet> make_sets(const Ruleset& ruleset, Hook hook, bool in_tunnel, bool out_tunnel,
                              const std::string& name) {
    std::vector<Tuple> tuples;
    for (const auto& rule : ruleset.rules) {
        if (rule.hook != hook || rule.in_tunnel != in_tunnel || rule.log || rule.limit.count != 0
            || (hook == Hook::forward && rule.out_tunnel != out_tunnel))
            continue;
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            // Rules for any address at all are emitted as rules: they need no lookup.
            if (rule.from.empty() && rule.to.empty()) continue;
            for (const auto& from : or_everything(rule.from, family))
                for (const auto& to : or_everything(rule.to, family))
                    for (const auto& traffic : rule.traffic)
                        if (is_of_family(traffic, family)) tuples.push_back({from, to, traffic});
        }
    }
    std::sort(tuples.begin(), tuples.end());
    tuples.erase(std::unique(tuples.begin(), tuples.end()), tuples.end());

    std::vector<std::pair<Shape, std::vector<const Tuple*>>> shapes;
    for (const auto& tuple : tuples) {
        const Shape shape = shape_of(tuple);
        const auto known = std::find_if(shapes.begin(), shapes.end(),
                                        [&](const auto& one) { return one.first == shape; });
        if (known != shapes.end())
            known->second.push_back(&tuple);
        else
            shapes.push_back({shape, {&tuple}});
    }
    std::vector<NftSet> sets;
    for (auto& [shape, members] : shapes) {
        if (shape.exact) {
            sets.push_back(make_set(members, shape, fmt::format("{}{}", name, sets.size())));
            continue;
        }
        // Wide ones first: what they cover needs no element of its own.
        std::vector<const Tuple*> kept;
        std::stable_sort(members.begin(), members.end(), [](const auto* a, const auto* b) {
            return a->from.length + a->to.length < b->from.length + b->to.length;
        });
        for (const auto* tuple : members)
            if (std::none_of(kept.begin(), kept.end(),
                             [&](const auto* other) { return covers(*other, *tuple); }))
                kept.push_back(tuple);
        for (const auto& layer : layers_of(kept))
            sets.push_back(make_set(layer, shape, fmt::format("{}{}", name, sets.size())));
    }
    return sets;
}

} // namespace wgkit::fw
