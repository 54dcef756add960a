#include "support/catch.hpp"
#include "util/yaml.hpp"

using namespace wgkit;

namespace {

std::string codes(std::string_view text) {
    Diagnostics d("f");
    (void)yaml::parse(text, d);
    std::string list;
    for (const auto& one : d.all()) list += one.code + " ";
    return list;
}

} // namespace

TEST_CASE("values carry the place where they start") {
    Diagnostics d("f");
    const auto root = yaml::parse("a: 1\nlist:\n  - x\n  - {k: \"v\"}\n", d);
    REQUIRE(d.empty());
    const auto* list = root.find("list");
    REQUIRE(list != nullptr);
    CHECK(list->items[0].mark == Mark{3, 5});
    CHECK(list->items[1].mark == Mark{4, 5});
    CHECK(list->items[1].members[0].key_mark == Mark{4, 6});
    CHECK(list->items[1].find("k")->mark == Mark{4, 9});
}

TEST_CASE("an alias is a copy of what its anchor names") {
    Diagnostics d("f");
    const auto root = yaml::parse("a: &x {k: v}\nb: *x\n", d);
    REQUIRE(d.empty());
    CHECK(root.find("b")->find("k")->scalar == "v");
}

TEST_CASE("what YAML libraries let pass is reported") {
    CHECK(codes("a: 1\na: 2\n") == "duplicate-yaml-key ");
    CHECK(codes("a: 1\n---\nb: 2\n") == "yaml-syntax ");
    CHECK(codes("[a]: 1\n") == "wrong-type ");
    CHECK(codes("a: &x [*x]\n") == "alias-budget ");
    CHECK(codes("a: [1\n") == "yaml-syntax ");
}

TEST_CASE("anchors within anchors count against the budget") {
    std::string text;
    for (int i = 0; i < 400; ++i) text += "&a" + std::to_string(i) + " [";
    for (int i = 0; i < 5000; ++i) text += "1,";
    CHECK(codes(text + std::string(400, ']')) == "alias-budget ");
}

TEST_CASE("nesting without end is refused") {
    CHECK(codes(std::string(100000, '[')) == "yaml-syntax ");
}
