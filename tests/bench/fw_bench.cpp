// wgkit_fw_bench NODES.yaml: how long it takes to read a policy and to make and write every node's
// rules, each in milliseconds; then the rules' number and the size of the texts.
#include <fmt/format.h>

#include <chrono>

#include "wgkit/policy.hpp"

namespace {

using namespace wgkit;

double since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

int run(const std::string& path) {
    auto start = std::chrono::steady_clock::now();
    const auto fleet = mesh::load(mesh::Paths::beside(path), mesh::today());
    if (!fleet || fleet->diagnostics.errors() != 0) return 1;
    const double load = since(start);
    start = std::chrono::steady_clock::now();
    const auto parsed = fw::parse_policy(fleet->source, path);
    Diagnostics found = parsed.diagnostics;
    const fw::FleetPolicy policy(parsed.policy, *fleet, found);
    if (found.errors() != 0) return 1;
    const double read = since(start);
    start = std::chrono::steady_clock::now();
    std::vector<fw::Ruleset> all;
    for (const auto& node : fleet->inventory.networks.front().nodes) {
        auto rulesets = policy.compile(node.name.value);
        if (!rulesets) return 1;
        for (auto& ruleset : *rulesets) all.push_back(std::move(ruleset));
    }
    const double compile = since(start);
    start = std::chrono::steady_clock::now();
    std::size_t size = 0;
    std::size_t rules = 0;
    for (const auto& ruleset : all) {
        size += fw::emit(ruleset, fw::Backend::nftables)->size();
        rules += ruleset.rules.size();
    }
    fmt::print("{:.0f} {:.0f} {:.0f} {:.0f} {} {}\n", load, read, compile, since(start), rules,
               size);
    return 0;
}

} // namespace

int main(int argc, char** argv) { return argc == 2 ? run(argv[1]) : 64; }
