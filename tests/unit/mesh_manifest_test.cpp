#include "mesh/manifest.hpp"
#include "support/catch.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

namespace {

const std::string hash(64, 'a');

Manifest a_manifest() {
    return {"wgkit-0 x y",
            {{"a/etc/wireguard/wg0.conf", hash, 0600, 123, 1'700'000'000'123'456'789},
             {"b/etc/sysctl.d/x y.conf", hash, 0644, 0, -5}}};
}

} // namespace

TEST_CASE("a manifest survives being written and read") {
    const auto again = parse_manifest(to_text(a_manifest()), "m");
    REQUIRE(again);
    CHECK(again->origin == a_manifest().origin);
    CHECK(again->entries == a_manifest().entries);
    CHECK(again->find("a/etc/wireguard/wg0.conf") == &again->entries.front());
    CHECK(again->find("c") == nullptr);
}

TEST_CASE("a manifest cannot name files outside of its folder") {
    for (const char* path : {"/etc/passwd", "../x", "a/../../x", "a//x", "./x", ""}) {
        const auto text = "wgkit-manifest 1\norigin \n" + hash + " 0600 1 1 " + path + "\n";
        const auto parsed = parse_manifest(text, "m");
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().message == "m:3:1: not a line of a manifest");
    }
}

TEST_CASE("a broken manifest is refused with its line") {
    for (const char* text : {"x\n", "wgkit-manifest 2\n", "wgkit-manifest 1\nx\n"})
        CHECK_FALSE(parse_manifest(text, "m"));
    CHECK_FALSE(parse_manifest("wgkit-manifest 1\norigin \n" + hash + " 0699 1 1 a\n", "m"));
    CHECK_FALSE(parse_manifest("wgkit-manifest 1\norigin \nabc 0600 1 1 a\n", "m"));
}
