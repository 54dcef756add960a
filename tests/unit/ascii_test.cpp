#include "util/ascii.hpp"

#include "support/catch.hpp"

using namespace wgkit;

TEST_CASE("white space is what C calls so, in any locale") {
    for (int c = 0; c < 256; ++c)
        CHECK(ascii::is_space(static_cast<char>(c)) == (c == ' ' || (c >= 9 && c <= 13)));
    CHECK(ascii::trim(" \t a b \r\n") == "a b");
    CHECK(ascii::trim(" \n").empty());
}

TEST_CASE("comparison ignores ASCII case only") {
    CHECK(ascii::iequals("PrivateKey", "pRIVATEkEY"));
    CHECK_FALSE(ascii::iequals("a", "ab"));
    CHECK_FALSE(ascii::iequals("[", "{")); // they differ in the same bit as letters do
    CHECK_FALSE(ascii::iequals("\xC4", "\xE4"));
}

TEST_CASE("numbers are digits only and have a limit") {
    CHECK(ascii::to_number("0", 10) == 0);
    CHECK(ascii::to_number("007", 10) == 7);
    CHECK(ascii::to_number("65535", 65535) == 65535);
    CHECK(ascii::to_number("18446744073709551615", UINT64_MAX) == UINT64_MAX);
    for (const char* bad :
         {"", "-1", "+1", " 1", "1 ", "0x1", "1a", "65536", "18446744073709551616"})
        CHECK_FALSE(ascii::to_number(bad, 65535));
}

TEST_CASE("split keeps empty parts") {
    using Parts = std::vector<std::string_view>;
    CHECK(ascii::split("a,b", ',') == Parts{"a", "b"});
    CHECK(ascii::split("", ',') == Parts{""});
    CHECK(ascii::split(",", ',') == Parts{"", ""});
}

TEST_CASE("labels are safe as path components and in hosts files") {
    for (const char* good : {"a", "gw", "node-1", "1", "A-b-9"}) CHECK(ascii::is_dns_label(good));
    CHECK(ascii::is_dns_label(std::string(63, 'a')));
    for (const char* bad : {"", "-", "-a", "a-", ".", "..", "a.b", "a/b", "a_b", "a b", "\xC3\xA4"})
        CHECK_FALSE(ascii::is_dns_label(bad));
    CHECK_FALSE(ascii::is_dns_label(std::string(64, 'a')));
}

TEST_CASE("the nearest word is offered only if a typing error is likely") {
    const std::vector<std::string_view> words{"endpoint", "keepalive", "port", "psk"};
    CHECK(ascii::nearest("endpiont", words) == "endpoint");
    CHECK(ascii::nearest("Port", words) == "port");
    CHECK(ascii::nearest("pks", words) == std::nullopt);
    CHECK(ascii::nearest("ps", words) == "psk");
    CHECK(ascii::nearest("colour", words) == std::nullopt);
    CHECK(ascii::nearest("x", {}) == std::nullopt);
}

TEST_CASE("what may be a key is told from a long word") {
    CHECK(ascii::may_hold_key("x6NTzcPxpfQWGdM5Efq7XLDjjkxTQCKHTCn2wH1GMCmA="));
    CHECK(ascii::may_hold_key("a b oKLPQTJBsxcW2ddptpTp70lCtMdNag1di6857PK/"));
    CHECK_FALSE(ascii::may_hold_key("ec2-203-0-113-25.eu-central-1.compute.amazonaws.com:51820"));
}
