#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::tool::mesh {

using wgkit::mesh::Carrier;
using wgkit::mesh::Direction;
using wgkit::mesh::Hop;
using wgkit::mesh::Path;
using wgkit::mesh::PskMode;

namespace {

struct ExplainOptions {
    std::string a;
    std::string b;
    std::string nodes = "nodes.yaml";
    bool json = false;
};

Json to_json(const Hop& hop) {
    Json carriers = Json::array();
    for (const auto& one : hop.carriers)
        carriers.push_back({{"target", to_string(one.target)},
                            {"allowed_ip", one.entry ? Json(to_string(*one.entry)) : Json()},
                            {"peer", one.peer.empty() ? Json() : Json(one.peer)},
                            {"why", one.why}});
    return {{"from", hop.from},
            {"to", hop.to},
            {"underlay", hop.underlay},
            {"endpoint", hop.endpoint ? Json(to_string(*hop.endpoint)) : Json()},
            {"carriers", carriers},
            {"keepalive", hop.keepalive},
            {"keepalive_why", hop.keepalive_why},
            {"psk", to_string(hop.psk)},
            {"psk_epoch", hop.psk == PskMode::per_pair ? Json(hop.psk_epoch) : Json()}};
}

Json to_json(const Direction& direction) {
    Json hops = Json::array();
    for (const auto& hop : direction.hops) hops.push_back(to_json(hop));
    return {{"from", direction.from},
            {"to", direction.to},
            {"path", to_string(direction.kind)},
            {"why", direction.why},
            {"hops", hops}};
}

void print_carrier(const Hop& hop, const Carrier& carrier) {
    const std::string target = to_string(carrier.target);
    if (!carrier.entry)
        fmt::print("    {}: no AllowedIPs entry: {}\n", target, carrier.why);
    else if (carrier.peer != hop.to)
        fmt::print("    {}: goes to {} instead, by {}: {}\n", target, carrier.peer,
                   to_string(*carrier.entry), carrier.why);
    else if (*carrier.entry == carrier.target)
        fmt::print("    AllowedIPs {}: {}\n", target, carrier.why);
    else
        fmt::print("    AllowedIPs {} for {}: {}\n", to_string(*carrier.entry), target,
                   carrier.why);
}

void print_hop(const Hop& hop) {
    fmt::print("  {} -> {} on {}\n", hop.from, hop.to, hop.underlay);
    if (hop.endpoint)
        fmt::print("    endpoint {}\n", to_string(*hop.endpoint));
    else
        fmt::print("    endpoint learned: {} calls first\n", hop.to);
    for (const auto& carrier : hop.carriers) print_carrier(hop, carrier);
    fmt::print("    keepalive {}: {}\n",
               hop.keepalive == 0 ? "off" : fmt::format("{} s", hop.keepalive), hop.keepalive_why);
    fmt::print("    preshared key {}{}\n", to_string(hop.psk),
               hop.psk == PskMode::per_pair ? fmt::format(", epoch {}", hop.psk_epoch) : "");
}

void print_direction(const Direction& direction) {
    std::string way = fmt::format("{}", to_string(direction.kind));
    if (direction.kind == Path::Kind::none)
        way = "no path";
    else if (direction.kind != Path::Kind::direct)
        way = fmt::format("through {} {}", way, direction.hops.front().to);
    fmt::print("{} -> {}: {}\n  {}\n", direction.from, direction.to, way, direction.why);
    for (const auto& hop : direction.hops) print_hop(hop);
}

int run_explain(const ExplainOptions& options, const Report& report) {
    const auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    const auto found = wgkit::mesh::explain(*fleet, options.a, options.b);
    if (!found) return report.error(found.error());
    const bool reachable = std::any_of(found->begin(), found->end(), [](const auto& one) {
        return one.there.kind != Path::Kind::none && one.back.kind != Path::Kind::none;
    });
    if (options.json) {
        Json list = Json::array();
        for (const auto& one : *found)
            list.push_back({{"network", one.network},
                            {"directions", {to_json(one.there), to_json(one.back)}}});
        print({{"schema", 1}, {"explanations", list}});
        return reachable ? exit_ok : exit_failed;
    }
    if (!reachable) {
        for (const auto& one : *found) {
            const bool there = one.there.kind != Path::Kind::none;
            const Direction& lost = there ? one.back : one.there;
            if (there) print_direction(one.there);
            report.error(fmt::format("no path from {} to {} in the network {}: {}", lost.from,
                                     lost.to, one.network, lost.why),
                         "link them in `topology`, give one an endpoint, or declare a relay");
        }
        return exit_failed;
    }
    for (const auto& one : *found) {
        if (&one != &found->front()) fmt::print("\n");
        if (found->size() > 1) fmt::print("network {}\n", one.network);
        print_direction(one.there);
        print_direction(one.back);
    }
    return exit_ok;
}

} // namespace

Action explain(Arguments app) {
    auto options = std::make_shared<ExplainOptions>();
    app.add_option("a", options->a, "A node").required().type_name("NODE");
    app.add_option("b", options->b, "Another node").required().type_name("NODE");
    add_nodes_argument(app, options->nodes);
    app.add_flag("--json", options->json, "Print the explanation as JSON");
    return [options](const Report& report) { return run_explain(*options, report); };
}

} // namespace wgkit::tool::mesh
