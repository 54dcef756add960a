#include "mesh/secrets/key_store.hpp"
#include "support/catch.hpp"
#include "wgkit/mesh_import.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

TEST_CASE("stored pairs do not care who comes first, and keep the first key") {
    StoredPairs pairs;
    const auto key = generate_preshared_key();
    CHECK(pairs.add("b", "a", key));
    CHECK_FALSE(pairs.add("a", "b", generate_preshared_key()));
    REQUIRE(pairs.find("a", "b") != nullptr);
    CHECK(equal(*pairs.find("b", "a"), key));
    const auto again = StoredPairs::parse(pairs.to_text(), "pairs.psk");
    REQUIRE(again);
    CHECK(equal(*again->find("a", "b"), key));
}

TEST_CASE("a broken line of stored pairs is named, not quoted") {
    const auto wrong = StoredPairs::parse("a b secret\n", "pairs.psk");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message.find("pairs.psk:1:1") == 0);
    CHECK(wrong.error().message.find("secret") == std::string::npos);
}

TEST_CASE("an import from Headscale holds nothing of its pre-auth keys") {
    const auto imported = import_headscale(
        R"({"nodes":[{"givenName":"Web 1","ipAddresses":["100.64.0.9"],"preAuthKey":{"key":"hush"},
            "approvedRoutes":["10.5.0.0/16","0.0.0.0/0"],"forcedTags":["tag:web"]}]})",
        "nodes.json", {"tail", Date{}});
    REQUIRE(imported);
    CHECK(imported->nodes.find("hush") == std::string::npos);
    CHECK(imported->nodes.find("name: Web-1") != std::string::npos);
    CHECK(imported->nodes.find("routes: [10.5.0.0/16]") != std::string::npos);
    CHECK(imported->nodes.find("exit: true") != std::string::npos);
    CHECK(imported->nodes.find("tags: [web]") != std::string::npos);
}

TEST_CASE("an import reports a broken file by line, and quotes no key") {
    std::vector<ImportFile> files;
    files.push_back({"gw.conf", SecretString("[Interface]\nPrivateKey = notakey\n")});
    const auto wrong = import_wg_quick(files, {"n", Date{}});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message.find("gw.conf:2:") == 0);
    CHECK(wrong.error().message.find("notakey") == std::string::npos);
}
