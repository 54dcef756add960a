#include "support/catch.hpp"
#include "wgkit/ip.hpp"

using namespace wgkit;

TEST_CASE("addresses are read and written in canonical form") {
    CHECK(to_string(*IpAddress::parse("10.0.0.1")) == "10.0.0.1");
    CHECK(to_string(*IpAddress::parse("FD00:0:0::1")) == "fd00::1");
    for (const char* bad : {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "[::1]", "fe80::1%lo", "::g"})
        CHECK_FALSE(IpAddress::parse(bad));
}

TEST_CASE("prefixes mask, contain and reject bad lengths") {
    const auto pool = *Prefix::parse("10.10.0.0/22");
    CHECK(pool.contains(*IpAddress::parse("10.10.3.255")));
    CHECK_FALSE(pool.contains(*IpAddress::parse("10.10.4.0")));
    CHECK_FALSE(pool.contains(*IpAddress::parse("::1")));
    CHECK(pool.contains(*Prefix::parse("10.10.1.0/24")));
    CHECK_FALSE(Prefix::parse("10.10.1.0/24")->contains(pool));
    CHECK(to_string(Prefix::parse("10.10.3.7/22")->masked()) == "10.10.0.0/22");
    CHECK(to_string(Prefix::parse("fd00::ffff/113")->masked()) == "fd00::8000/113");
    CHECK(Prefix::parse("10.0.0.5/24")->has_host_bits());
    CHECK(to_string(*Prefix::parse("::1")) == "::1/128");
    for (const char* bad : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10/8", "/8"})
        CHECK_FALSE(Prefix::parse(bad));
}

TEST_CASE("endpoints need brackets around IPv6 and a port in range") {
    CHECK(to_string(*Endpoint::parse("gw.example.org:51820")) == "gw.example.org:51820");
    CHECK(to_string(*Endpoint::parse("[2001:db8::1]:1")) == "[2001:db8::1]:1");
    CHECK(to_string(*Endpoint::parse("[fe80::1%eth0]:1")) == "[fe80::1%eth0]:1");
    CHECK(Endpoint::parse("2001:db8::1:51820").error().hint == "write [2001:db8::1]:51820");
    CHECK(Endpoint::parse("2001:db8::1").error().hint == "write [2001:db8::1]:51820");
    for (const char* bad : {"host", "host:", "host:0", "host:65536", ":1", "[::1]", "[::1]51820",
                            "[::1", "ho st:1", "[10.0.0.300]:1", "a\nb:1", "%w:11",
                            "[10.0.0.1%lo]:1", "[fe80::1%]:1", "[fe80::1%a%b]:1"})
        CHECK_FALSE(Endpoint::parse(bad));
    CHECK(Endpoint::parse(std::string(253, 'a') + ":1"));
    CHECK_FALSE(Endpoint::parse(std::string(254, 'a') + ":1"));
}
