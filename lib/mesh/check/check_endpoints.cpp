// Endpoints that two nodes share, or that lie in the network they should carry.
#include <fmt/format.h>

#include <unordered_map>

#include "mesh/check/checks.hpp"
#include "util/ascii.hpp"

namespace wgkit::mesh {

namespace {

void check_outside(const Endpoint& endpoint, Mark mark, const Network& network, Diagnostics& d) {
    const auto address = IpAddress::parse(endpoint.host);
    if (!address) return;
    for (const auto* pool : {&network.ipv4, &network.ipv6}) {
        if (!*pool || !(*pool)->value.contains(*address)) continue;
        auto& found = d.error(
            "endpoint-in-tunnel", mark,
            fmt::format("the endpoint {} is an address inside the tunnel", to_string(endpoint)));
        found.notes.push_back({{}, (*pool)->mark, "the pool of the network is here"});
        found.hint = "give an address that is reached without the tunnel";
    }
}

} // namespace

void check_endpoints(const Network& network, Date today, Diagnostics& diagnostics) {
    struct Owner {
        const Node* node;
        Mark mark;
    };
    std::unordered_map<std::string, Owner> owners;
    for (const auto& node : network.nodes) {
        if (!is_active(node, today)) continue;
        for (const auto& underlay : node.underlays) {
            if (!underlay.endpoint) continue;
            const auto& [endpoint, mark] = *underlay.endpoint;
            check_outside(endpoint, mark, network, diagnostics);
            std::string place = underlay.name + ' ';
            for (const char c : endpoint.host) place += ascii::lower(c);
            place += fmt::format(" {}", endpoint.port);
            const auto [first, is_new] = owners.emplace(std::move(place), Owner{&node, mark});
            const Owner& other = first->second;
            if (is_new || other.node->name.value == node.name.value) continue;
            auto& found = diagnostics.error("duplicate-endpoint", mark,
                                            fmt::format("{} and {} both have the endpoint {}",
                                                        other.node->name.value, node.name.value,
                                                        to_string(endpoint)));
            found.notes.push_back(
                {{}, other.mark, fmt::format("{} has it here", other.node->name.value)});
            found.hint = "behind one address give each node a port of its own";
        }
    }
}

} // namespace wgkit::mesh
