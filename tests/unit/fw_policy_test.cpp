#include <algorithm>
#include <memory>

#include "support/catch.hpp"
#include "wgkit/policy.hpp"

using namespace wgkit;
using namespace wgkit::fw;

namespace {

const std::string policy_head = R"(version: 1
network:
  name: net
  ipv4: 10.8.0.0/24
  ipv6: fd08::/64
  topology: [{hub: [gw], spokes: all}]
nodes:
  - {name: gw, ipv4: 10.8.0.1, ipv6: "fd08::1", endpoint: "192.0.2.1:51820", exit: yes, routes: [192.168.10.0/24]}
  - {name: alice, ipv4: 10.8.0.2, ipv6: "fd08::2", tags: [admin], exit_via: gw}
  - {name: bob, ipv4: 10.8.0.3, ipv6: "fd08::3"}
policy:
)";

/// A fleet with this policy; what it refers to lives as long.
struct PolicyBed {
    mesh::Fleet fleet;
    ParsedPolicy parsed;
    Diagnostics found;
    std::unique_ptr<FleetPolicy> policy;

    explicit PolicyBed(const std::string& text) {
        constexpr mesh::Date today{std::chrono::days(20000)};
        fleet = mesh::load_text(mesh::Paths::beside("nodes.yaml"), policy_head + text, {}, today);
        REQUIRE(fleet.diagnostics.errors() == 0);
        parsed = parse_policy(fleet.source, "nodes.yaml");
        found = parsed.diagnostics;
        if (found.errors() != 0) return;
        policy = std::make_unique<FleetPolicy>(parsed.policy, fleet, found);
        if (found.errors() == 0) policy->run_tests(found);
    }
    std::vector<std::string> codes() const {
        std::vector<std::string> list;
        for (const auto& one : found.all()) list.push_back(one.code);
        return list;
    }
    Ruleset of(const char* node) const {
        REQUIRE(found.errors() == 0);
        return policy->compile(node)->front();
    }
};

Packet tcp_packet(const char* source, const char* destination, std::uint16_t port) {
    Packet packet;
    packet.source = *IpAddress::parse(source);
    packet.destination = *IpAddress::parse(destination);
    packet.destination_port = port;
    return packet;
}

using Verdict = Decision::Verdict;

} // namespace

TEST_CASE("every mistake in a policy has its finding", "[fw]") {
    const auto codes = [](const std::string& text) { return PolicyBed(text).codes(); };
    using List = std::vector<std::string>;
    CHECK(codes("  allow: []\n").empty());
    CHECK(codes("  allow:\n    - alise -> gw: 22/tcp\n") == List{"unknown-name"});
    CHECK(codes("  allow:\n    - tag:admim -> gw: 22/tcp\n") == List{"unknown-name"});
    CHECK(codes("  allow:\n    - alice -> gw: 70000/tcp\n") == List{"port-out-of-range"});
    CHECK(codes("  allow:\n    - alice -> gw: 22/tpc\n") == List{"bad-value"});
    CHECK(codes("  allow:\n    - alice -> 10.8.0.1/24: 22/tcp\n") == List{"host-bits"});
    CHECK(codes("  allow:\n    - alice gw: 22/tcp\n") == List{"bad-value"});
    CHECK(codes("  hosts: {bob: 10.8.0.9}\n  allow: []\n") == List{"duplicate-name"});
    CHECK(codes("  groups: {g: []}\n  allow: []\n") == List{"empty-group"});
    CHECK(codes("  groups: {g: [h], h: [g]}\n  allow: []\n").front() == "group-cycle");
    CHECK(codes("  ping: yes\n") == List{"missing-field"});
    CHECK(codes("  allow: []\n  tests: {reach: [alice -> gw: 22/tcp]}\n").front() == "policy-test");
    CHECK(
        codes("  allow: [alice -> gw: 22/tcp]\n  tests: {refuse: [alice -> gw: 22/tcp]}\n").front()
        == "policy-test");
    CHECK(codes("  allow:\n    - alice -> gw: 22/tcp\n      limit: 10/fortnight\n")
          == List{"bad-value"});
}

TEST_CASE("mistakes in a policy are found with the fleet's", "[fw]") {
    constexpr mesh::Date today{std::chrono::days(20000)};
    const auto findings = [&](const std::string& text) {
        const auto fleet = mesh::load_text(mesh::Paths::beside("nodes.yaml"), text, {}, today);
        return check_policy(fleet, "nodes.yaml").all().size();
    };
    CHECK(findings(policy_head + "  allow:\n    - alise -> gw: 22/tcp\n    - bob -> gw: x\n") == 1);
    CHECK(findings(policy_head + "  allow: [alise -> gw: 22/tcp]\n") == 1);
    CHECK(findings(policy_head.substr(0, policy_head.find("policy:"))) == 0);
}

TEST_CASE("a rule is enforced where its packets arrive", "[fw]") {
    const PolicyBed bed("  allow:\n    - alice -> bob: 22/tcp\n    - bob -> 192.168.10.5: 80/tcp\n"
                        "    - alice -> internet: 443/tcp\n    - alice -> gw: 53\n");
    SECTION("at the destination") {
        const Ruleset bob = bed.of("bob");
        CHECK(evaluate(bob, tcp_packet("10.8.0.2", "10.8.0.3", 22)).verdict == Verdict::accept);
        CHECK(evaluate(bob, tcp_packet("fd08::2", "fd08::3", 22)).verdict == Verdict::accept);
        CHECK(evaluate(bob, tcp_packet("10.8.0.1", "10.8.0.3", 22)).verdict == Verdict::drop);
        CHECK(evaluate(bob, tcp_packet("10.8.0.2", "10.8.0.3", 23)).verdict == Verdict::drop);
    }
    SECTION("at the hub between, before a subnet, and at the exit") {
        const Ruleset gw = bed.of("gw");
        const auto forwarded = [&](const char* from, const char* to, std::uint16_t port, bool out) {
            Packet packet = tcp_packet(from, to, port);
            packet.hook = Hook::forward;
            packet.out_tunnel = out;
            return evaluate(gw, packet).verdict;
        };
        CHECK(forwarded("10.8.0.2", "10.8.0.3", 22, true) == Verdict::accept);
        CHECK(forwarded("10.8.0.3", "10.8.0.2", 22, true) == Verdict::drop);
        CHECK(forwarded("10.8.0.3", "192.168.10.5", 80, false) == Verdict::accept);
        CHECK(forwarded("10.8.0.3", "192.168.10.6", 80, false) == Verdict::drop);
        CHECK(forwarded("10.8.0.2", "198.51.100.1", 443, false) == Verdict::accept);
        CHECK(forwarded("10.8.0.2", "10.99.0.1", 443, false) == Verdict::drop);
        CHECK(forwarded("10.8.0.3", "198.51.100.1", 443, false) == Verdict::drop);
    }
    SECTION("and the tunnel's addresses mean nothing elsewhere") {
        Packet packet = tcp_packet("10.8.0.2", "10.8.0.1", 53);
        CHECK(evaluate(bed.of("gw"), packet).verdict == Verdict::accept);
        packet.in_tunnel = false;
        CHECK(evaluate(bed.of("gw"), packet).verdict == Verdict::drop);
    }
}

TEST_CASE("flows and errors of flows live, strangers do not", "[fw]") {
    const PolicyBed bed("  allow: []\n  ping: no\n");
    const Ruleset bob = bed.of("bob");
    Packet packet = tcp_packet("10.8.0.2", "10.8.0.3", 22);
    CHECK(evaluate(bob, packet).verdict == Verdict::drop);
    packet.state = FlowState::established;
    CHECK(evaluate(bob, packet).verdict == Verdict::accept);
    packet.state = FlowState::invalid;
    CHECK(evaluate(bob, packet).verdict == Verdict::drop);
    packet.state = FlowState::fresh;
    packet.protocol = icmp;
    packet.destination_port = 3;
    CHECK(evaluate(bob, packet).verdict == Verdict::accept);
    packet.destination_port = 8;
    CHECK(evaluate(bob, packet).verdict == Verdict::drop);
}

TEST_CASE("an exit masquerades what leaves, but not to its own subnets", "[fw]") {
    const Ruleset gw = PolicyBed("  allow: [alice -> internet: any]\n").of("gw");
    REQUIRE(gw.masquerade.size() == 2);
    REQUIRE(gw.unmasked.size() == 1);
    CHECK(gw.clamp_mss);
    const std::string nft = *emit(gw, Backend::nftables);
    CHECK(nft.find("masquerade") != nft.npos);
    CHECK(nft.find("tcp option maxseg size set rt mtu") != nft.npos);
    const std::string iptables = *emit(gw, Backend::iptables);
    CHECK(iptables.find("-A wgkit-nat-wg0 -d 192.168.10.0/24 -j RETURN") != iptables.npos);
    CHECK(iptables.find("TCPMSS --clamp-mss-to-pmtu") != iptables.npos);
    const std::string firewalld = *emit(gw, Backend::firewalld);
    CHECK(firewalld.find("<masquerade/>") != firewalld.npos);
    CHECK(firewalld.find("<entry>192.168.10.0/24</entry>") != firewalld.npos);
}

TEST_CASE("rules that are loaded elsewhere are the same rules", "[fw]") {
    const PolicyBed bed(
        "  log: yes\n  allow:\n    - {alice -> gw: [22/tcp, icmp], limit: 10/minute}\n"
        "    - alice, bob -> site:gw: any\n    - internet -> gw: 443/tcp\n");
    const std::vector<Ruleset> rulesets{bed.of("gw"), bed.of("alice")};
    const auto text = to_text(rulesets);
    const auto again = parse_rulesets(text, "rules");
    REQUIRE(again);
    REQUIRE(again->size() == 2);
    CHECK(to_text(*again) == text);
    for (std::size_t i = 0; i < rulesets.size(); ++i)
        for (const auto backend : {Backend::nftables, Backend::iptables})
            CHECK(*emit((*again)[i], backend) == *emit(rulesets[i], backend));
    CHECK(parse_rulesets(to_text(std::vector<Ruleset>()), "rules")->empty());

    const auto with = [&](std::string_view from, std::string_view to) {
        auto other = text;
        const auto at = other.find(from);
        REQUIRE(at != other.npos);
        return parse_rulesets(other.replace(at, from.size(), to), "rules");
    };
    for (const auto& bad :
         {parse_rulesets("", "rules"), parse_rulesets("[]", "rules"),
          with("\"schema\": 1", "\"schema\": 2"), with("wg0", "a;b"), with("51820", "65536"),
          with("51820", "-1"), with("10.8.0.", "10.8.x."), with("\"input\"", "\"output\"")}) {
        REQUIRE_FALSE(bad);
        CHECK(bad.error().message.find("rules ") == 0);
    }
}

TEST_CASE("names that a firewall cannot have are refused", "[fw]") {
    Ruleset ruleset;
    for (const char* name : {"", "wg0;reboot", "wg0+", "a-name-of-sixteen", "wg 0"}) {
        ruleset.interface = name;
        for (const Backend backend :
             {Backend::ufw, Backend::nftables, Backend::iptables, Backend::firewalld})
            CHECK_FALSE(emit(ruleset, backend));
    }
    ruleset.interface = "elevenchars";
    CHECK(emit(ruleset, Backend::iptables));
    CHECK_FALSE(emit(ruleset, Backend::firewalld));
}

TEST_CASE("a rule that earlier ones cover is found, with the first that decides instead", "[fw]") {
    const auto shadowed = [](std::vector<std::string> allow) {
        LockdownOptions options;
        options.allow = std::move(allow);
        return shadowed_rules(*lockdown(options));
    };
    CHECK(shadowed({"53", "80,443/tcp", "8000-8010/udp", "icmp"}).empty());
    const auto found = shadowed({"22/tcp", "1-1000/tcp", "53", "80-90/tcp", "22/tcp"});
    REQUIRE(found.size() == 2);
    CHECK(found[0].rule == "80-90/tcp through wg0");
    CHECK(found[0].by == "1-1000/tcp through wg0");
    CHECK(found[1].rule == "22/tcp through wg0");
    CHECK(found[1].by == "22/tcp through wg0");
    CHECK(shadowed({"any", "icmp", "53/udp"}).size() == 2);
    CHECK(shadowed({"53/udp", "any"}).empty());
}

TEST_CASE("what covers a rule is asked for each address, and never if it is limited", "[fw]") {
    const auto rule = [](const char* from, const char* to, Rate limit = {}) {
        Rule made;
        if (*from != '\0') made.from = {*Prefix::parse(from)};
        if (*to != '\0') made.to = {*Prefix::parse(to)};
        made.traffic = {Traffic{}};
        made.text = std::string(from) + " -> " + to;
        made.limit = limit;
        return made;
    };
    Ruleset ruleset;
    ruleset.rules = {rule("10.8.0.0/25", "10.8.0.1/32"), rule("10.8.0.128/25", "")};
    ruleset.rules.push_back(rule("10.8.0.7/32", "10.8.0.1/32"));
    CHECK(shadowed_rules(ruleset).size() == 1);
    ruleset.rules.back().from.push_back(*Prefix::parse("10.8.0.200/32"));
    CHECK(shadowed_rules(ruleset).size() == 1); // by both together
    ruleset.rules.back().from.push_back(*Prefix::parse("10.8.1.1/32"));
    CHECK(shadowed_rules(ruleset).empty());
    ruleset.rules = {rule("", "", {5, 60}), rule("10.8.0.7/32", "")};
    CHECK(shadowed_rules(ruleset).empty());
    ruleset.rules = {rule("", ""), rule("10.8.0.7/32", "", {5, 60})};
    CHECK(shadowed_rules(ruleset).size() == 1); // its limit never holds anybody back
    ruleset.rules = {rule("", ""), rule("10.8.0.7/32", "")};
    ruleset.rules.back().in_tunnel = false;
    CHECK(shadowed_rules(ruleset).empty());
}
