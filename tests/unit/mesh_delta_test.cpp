#include <set>

#include "mesh/delta.hpp"
#include "support/catch.hpp"
#include "support/fleet_maker.hpp"

using namespace wgkit;
using namespace wgkit::test;

namespace {

std::set<std::string> differing(const std::map<std::string, std::string>& before,
                                const std::map<std::string, std::string>& after) {
    std::set<std::string> paths;
    for (const auto& [path, content] : before) {
        const auto now = after.find(path);
        if (now != after.end() && now->second != content) paths.insert(path);
    }
    return paths;
}

/// Paths that the comparison of plans says will change, among those in both.
std::set<std::string> predicted(const mesh::Fleet& before, const mesh::Fleet& after) {
    std::set<std::string> paths;
    for (const auto& [node, delta] :
         mesh::compare(before.plans.front(), after.plans.front(), std::nullopt))
        for (const auto& [path, lines] : delta.details)
            if (lines != std::vector<std::string>{"+ file"}
                && lines != std::vector<std::string>{"- file"})
                paths.insert(node + "/" + path);
    return paths;
}

} // namespace

TEST_CASE("comparing two plans finds exactly the files that rendering would change") {
    int usable = 0;
    for (unsigned seed = 0; seed < 400; ++seed) {
        RandomInventory inventory(seed);
        const auto before = make_fleet(inventory.text());
        const std::string old_text = inventory.text();
        inventory.mutate();
        if (before.plans.empty()) continue;
        const auto after = make_fleet(inventory.text(), to_text(before.lock));
        if (after.plans.empty()) continue;
        ++usable;
        INFO("seed " << seed << "\nbefore:\n" << old_text << "after:\n" << inventory.text());
        CHECK(predicted(before, after) == differing(render_all(before), render_all(after)));
    }
    CHECK(usable > 100);
}

TEST_CASE("an unchanged fleet has no differences") {
    RandomInventory inventory(7);
    const auto fleet = make_fleet(inventory.text());
    REQUIRE_FALSE(fleet.plans.empty());
    CHECK(mesh::compare(fleet.plans.front(), fleet.plans.front(), std::nullopt).empty());
}

TEST_CASE("differences are named") {
    const std::string text = "version: 1\nnetwork: {name: n, ipv4: 10.0.0.0/24}\nnodes:\n"
                             "  - {name: a, endpoint: a.example:1}\n"
                             "  - {name: b, endpoint: b.example:1}\n";
    std::string changed = text;
    changed.replace(changed.find("b.example:1"), 11, "\"[::1]:2\"");
    const auto before = make_fleet(text);
    const auto after = make_fleet(changed + "  - {name: c}\n", to_text(before.lock));
    const auto delta = mesh::compare(before.plans.front(), after.plans.front(), std::nullopt);
    CHECK(delta.at("a").details.at("etc/wireguard/wg0.conf")
          == std::vector<std::string>{"~ peer b: endpoint b.example:1 -> [::1]:2", "+ peer c"});
    CHECK(delta.at("b").details.at("etc/wireguard/wg0.conf")
          == std::vector<std::string>{"- ListenPort = 1", "+ ListenPort = 2", "+ peer c"});
}
