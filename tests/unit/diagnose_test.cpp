#include "support/catch.hpp"
#include "wgkit/doctor.hpp"

using namespace wgkit;

namespace {

HostEvidence healthy() {
    HostEvidence host;
    host.now = 1'800'000'000;
    host.is_clock_synced = true;
    host.has_kernel_wireguard = true;
    host.has_tun = true;
    host.has_engine = true;
    host.forwards_ipv4 = true;
    return host;
}

InterfaceEvidence healthy_interface() {
    InterfaceEvidence one;
    one.name = "wg0";
    one.mtu = 1420;
    one.path_mtu = 1500;
    one.is_up = true;
    one.peers = 3;
    return one;
}

/// "problem code" of each, and that nothing is left unsaid.
std::vector<std::string> codes(const HostEvidence& host, const InterfaceEvidence& one) {
    std::vector<std::string> out;
    for (const auto& ailment : diagnose(host, {one})) {
        CHECK(!ailment.message.empty());
        CHECK(!ailment.evidence.empty());
        CHECK(!ailment.fix.empty());
        constexpr const char* words[] = {"problem ", "risk ", "note "};
        out.push_back(words[static_cast<int>(ailment.weight)] + ailment.code);
    }
    return out;
}

using Codes = std::vector<std::string>;

/// What changing one thing of a healthy host brings about.
template <class Change>
Codes of_host(Change change) {
    auto host = healthy();
    change(host);
    return codes(host, healthy_interface());
}
template <class Change>
Codes of_interface(Change change, const HostEvidence& host = healthy()) {
    auto one = healthy_interface();
    change(one);
    return codes(host, one);
}

} // namespace

TEST_CASE("a healthy host has no ailments") {
    CHECK(codes(healthy(), healthy_interface()).empty());
}

TEST_CASE("each ailment of a host shows by itself") {
    using Host = HostEvidence;
    CHECK(of_host([](Host& h) { h.has_kernel_wireguard = false; }) == Codes{"note no-module"});
    CHECK(of_host([](Host& h) { h.has_kernel_wireguard = h.has_engine = false; })
          == Codes{"problem no-wireguard"});
    CHECK(of_host([](Host& h) { h.has_kernel_wireguard = h.has_tun = false; })
          == Codes{"problem no-wireguard"});
    CHECK(of_host([](Host& h) { h.has_tun = h.has_engine = false; }).empty());
    CHECK(of_host([](Host& h) { h.now = 1000; }) == Codes{"problem clock-not-set"});
    CHECK(of_host([](Host& h) { h.is_clock_synced = false; }) == Codes{"note clock-not-synced"});
    CHECK(of_host([](Host& h) { h.is_clock_synced.reset(); }).empty());
    CHECK(of_host([](Host& h) { h.open_files = {"/etc/wireguard/wg0.conf"}; })
          == Codes{"risk open-file"});
    CHECK(of_host([](Host& h) {
              h.unset_settings = {{"net.ipv4.ip_forward", "1", "0", "/etc/sysctl.d/90-x.conf"}};
          })
          == Codes{"problem setting-not-in-effect"});
    CHECK(of_host([](Host& h) { h.forwards_ipv4 = false; }) == Codes{"note no-forwarding"});
}

TEST_CASE("each ailment of an interface shows by itself") {
    using One = InterfaceEvidence;
    CHECK(of_interface([](One& i) { i.is_up = false; }) == Codes{"problem not-up"});
    CHECK(of_interface([](One& i) { i.has_key = false; }) == Codes{"problem no-private-key"});
    CHECK(of_interface([](One& i) { i.mtu = 1421; }) == Codes{"problem mtu-too-large"});
    CHECK(of_interface([](One& i) { i.path_mtu = 0; }).empty());
    CHECK(of_interface([](One& i) {
              i.mtu = 1440;
              i.is_outside_ipv4 = true;
          }).empty());
    CHECK(of_interface([](One& i) {
              i.mtu = 1279;
              i.has_ipv6 = true;
          })
          == Codes{"problem mtu-too-small"});
    CHECK(of_interface([](One& i) { i.unknown_hosts = {"x.example"}; })
          == Codes{"problem unknown-host"});
    CHECK(of_interface([](One& i) { i.wants_dns = true; }) == Codes{"problem no-resolvconf"});
    CHECK(of_interface([](One& i) { i.wants_dns = i.has_dns_program = true; }).empty());
    CHECK(of_interface([](One& i) {
              i.rivals = {{"10.0.0.0/8", "eth0"}};
          })
          == Codes{"problem duplicate-route"});
}

TEST_CASE("a strict reverse path filter harms full tunnels that lack src_valid_mark") {
    const auto full = [](int filter, bool mark) {
        return of_interface([&](InterfaceEvidence& i) {
            i.is_full_tunnel = true;
            i.rp_filter = filter;
            i.src_valid_mark = mark;
        });
    };
    CHECK(full(1, false) == Codes{"problem rp-filter"});
    CHECK(full(1, true).empty());
    CHECK(full(2, false).empty());
}

TEST_CASE("networkd takes rules of other protocols, unless it is told to keep them") {
    auto host = healthy();
    const auto with_rules = [](InterfaceEvidence& i) { i.has_rules_to_lose = true; };
    CHECK(of_interface(with_rules, host).empty());
    host.has_networkd = true;
    CHECK(of_interface(with_rules, host) == Codes{"risk rules-to-lose"});
    host.keeps_foreign_rules = true;
    CHECK(of_interface(with_rules, host).empty());
}

TEST_CASE("the gravest ailments come first") {
    auto host = healthy();
    host.is_clock_synced = false;
    host.open_files = {"x"};
    auto one = healthy_interface();
    one.is_up = false;
    CHECK(codes(host, one) == Codes{"problem not-up", "risk open-file", "note clock-not-synced"});
}
