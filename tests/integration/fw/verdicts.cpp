// wgkit_fw_verdicts: what the evaluator says, for tests that ask real firewalls the same. Lines in,
// lines out:
//   load NODES.yaml NODE                                   -> the node's first ruleset as JSON
//   HOOK IN OUT SOURCE DESTINATION PROTOCOL PORT STATE     -> accept, drop or pass
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "wgkit/policy.hpp"

namespace {

using namespace wgkit;
using nlohmann::json;

json to_json(const std::vector<Prefix>& prefixes) {
    json list = json::array();
    for (const auto& prefix : prefixes) list.push_back(to_string(prefix));
    return list;
}

json to_json(const fw::Ruleset& ruleset) {
    json rules = json::array();
    for (const auto& rule : ruleset.rules) {
        json traffic = json::array();
        for (const auto& one : rule.traffic)
            traffic.push_back(
                {one.protocol ? int{*one.protocol} : -1, one.first_port, one.last_port});
        rules.push_back({{"forward", rule.hook == fw::Hook::forward},
                         {"in_tunnel", rule.in_tunnel},
                         {"out_tunnel", rule.out_tunnel},
                         {"from", to_json(rule.from)},
                         {"to", to_json(rule.to)},
                         {"traffic", traffic}});
    }
    return {{"rules", rules},
            {"pools", to_json(ruleset.pools)},
            {"port", ruleset.listen_port},
            {"ping", ruleset.ping},
            {"closed", ruleset.closed}};
}

fw::Ruleset load(const std::string& path, const std::string& node) {
    const auto fleet = mesh::load(mesh::Paths::beside(path), mesh::today());
    if (!fleet) throw std::runtime_error(fleet.error().message);
    const auto parsed = fw::parse_policy(fleet->source, path);
    Diagnostics found = fleet->diagnostics;
    found.append(parsed.diagnostics);
    if (found.errors() == 0) {
        const fw::FleetPolicy policy(parsed.policy, *fleet, found);
        if (found.errors() == 0) return policy.compile(node)->front();
    }
    for (const auto& one : found.all())
        if (one.severity == Severity::error) throw std::runtime_error(to_text(one));
    throw std::runtime_error("no ruleset");
}

fw::Packet read_packet(const std::string& hook, std::istream& line) {
    static const std::string states[] = {"fresh", "established", "related", "invalid"};
    std::string source;
    std::string destination;
    std::string state;
    int protocol = 0;
    fw::Packet packet;
    packet.hook = hook == "forward" ? fw::Hook::forward : fw::Hook::input;
    line >> packet.in_tunnel >> packet.out_tunnel >> source >> destination >> protocol
        >> packet.destination_port >> state;
    packet.source = IpAddress::parse(source).value();
    packet.destination = IpAddress::parse(destination).value();
    packet.protocol = static_cast<std::uint8_t>(protocol);
    for (std::uint8_t i = 0; i < std::size(states); ++i)
        if (states[i] == state) packet.state = static_cast<fw::FlowState>(i);
    return packet;
}

} // namespace

int main() try {
    static const char* const words[] = {"accept", "drop", "pass"};
    fw::Ruleset ruleset;
    std::string text;
    while (std::getline(std::cin, text)) {
        std::istringstream line(text);
        std::string first;
        line >> first;
        if (first == "load") {
            std::string path;
            std::string node;
            line >> path >> node;
            ruleset = load(path, node);
            std::cout << to_json(ruleset) << std::endl;
        } else if (first == "flush") {
            std::cout << std::flush;
        } else {
            const auto decision = evaluate(ruleset, read_packet(first, line));
            std::cout << words[static_cast<std::size_t>(decision.verdict)] << "\n";
        }
    }
    return 0;
} catch (const std::exception& failure) {
    std::cerr << failure.what() << "\n";
    return 1;
}
