#include <algorithm>

#include "fw/flows.hpp"
#include "fw/iptables_text.hpp"
#include "fw/managers.hpp"
#include "fw/ufw_block.hpp"
#include "fw/ufw_rules.hpp"
#include "support/catch.hpp"
#include "wgkit/firewall_state.hpp"

using namespace wgkit;
using namespace wgkit::fw;

namespace {

using Kind = Difference::Kind;
using Effect = Difference::Effect;

RuleText nft_listing(const std::string& chain) {
    return {Backend::nftables,
            "wg0",
            {"table inet wgkit_fw_wg0 {\n\tset in0 {\n\t\ttype ipv4_addr . ipv4_addr\n"
             "\t\telements = { 10.8.0.2 . 10.8.0.1,\n\t\t\t     10.8.0.3 . 10.8.0.1 }\n\t}\n\n"
             "\tchain tunnel_in {\n"
             + chain + "\t}\n}\n"}};
}

const std::string chain_lines = "\t\tct state vmap { 0x1 : drop, 0x2 : accept, 0x4 : accept }\n"
                                "\t\tmeta l4proto 6 th dport 22 accept comment \"to drop\"\n"
                                "\t\tip saddr . ip daddr @in0 accept\n"
                                "\t\tcounter drop\n";

Difference only_difference(const RuleText& wanted, const RuleText& present) {
    const auto found = compare(wanted, present);
    REQUIRE(found.size() == 1);
    return found.front();
}

std::string without_line(std::string text, const std::string& line) {
    return text.erase(text.find(line), line.size());
}

IpAddress fw_ip(const char* text) { return *IpAddress::parse(text); }

} // namespace

TEST_CASE("the same rules do not differ, whatever the order of elements", "[fw]") {
    RuleText other = nft_listing(chain_lines);
    auto& text = other.parts[0];
    const std::string elements = "10.8.0.2 . 10.8.0.1,\n\t\t\t     10.8.0.3 . 10.8.0.1";
    text.replace(text.find(elements), elements.size(),
                 "10.8.0.3 . 10.8.0.1,\n\t\t\t     10.8.0.2 . 10.8.0.1");
    CHECK(compare(nft_listing(chain_lines), other).empty());
    CHECK(hash_of(nft_listing(chain_lines)) == hash_of(other));
    CHECK(hash_of(nft_listing(chain_lines))
          != hash_of(nft_listing(without_line(chain_lines, "\t\tcounter drop\n"))));
}

TEST_CASE("a difference is told by what it means for packets", "[fw]") {
    const RuleText wanted = nft_listing(chain_lines);
    const std::string accept = "\t\tmeta l4proto 6 th dport 22 accept comment \"to drop\"\n";
    SECTION("a missing accept") {
        const auto found = only_difference(wanted, nft_listing(without_line(chain_lines, accept)));
        CHECK((found.kind == Kind::missing && found.effect == Effect::narrower));
        CHECK(found.place == "chain tunnel_in");
    }
    SECTION("a missing drop") {
        const auto found =
            only_difference(wanted, nft_listing(without_line(chain_lines, "\t\tcounter drop\n")));
        CHECK((found.kind == Kind::missing && found.effect == Effect::wider));
    }
    SECTION("an accept that somebody added") {
        const auto found =
            only_difference(wanted, nft_listing("\t\ttcp dport 23 accept\n" + chain_lines));
        CHECK((found.kind == Kind::extra && found.effect == Effect::wider && !found.is_dead));
    }
    SECTION("an accept behind the end") {
        const auto found =
            only_difference(wanted, nft_listing(chain_lines + "\t\ttcp dport 23 accept\n"));
        CHECK((found.kind == Kind::extra && found.effect == Effect::none && found.is_dead));
    }
    SECTION("an end before the others") {
        const auto found = compare(wanted, nft_listing("\t\tdrop\n" + chain_lines));
        REQUIRE(found.size() == 5);
        CHECK((found[0].kind == Kind::extra && found[0].effect == Effect::narrower));
        CHECK((found[2].is_dead && found[2].effect == Effect::narrower));
    }
    SECTION("an element") {
        RuleText other = wanted;
        other.parts[0] = without_line(other.parts[0], "10.8.0.2 . 10.8.0.1,\n\t\t\t     ");
        CHECK(only_difference(wanted, other).effect == Effect::narrower);
        CHECK(only_difference(other, wanted).effect == Effect::wider);
    }
    SECTION("rules in another order") {
        const auto found = compare(wanted, nft_listing(accept + without_line(chain_lines, accept)));
        REQUIRE(found.size() == 1);
        CHECK(found[0].kind == Kind::moved);
    }
    SECTION("nothing at all") {
        const RuleText none{Backend::nftables, "wg0", {""}};
        CHECK(only_difference(wanted, none).effect == Effect::wider);
        CHECK(only_difference(none, wanted).kind == Kind::extra);
    }
}

TEST_CASE("a chain is filled again, and entered from the front", "[fw]") {
    Ruleset ruleset;
    ruleset.interface = "wg0";
    ruleset.filter_forward = false;
    const std::string wanted = chains_text(ruleset, Backend::iptables, Family::ipv4, false);
    const auto made = [&](std::string_view present) {
        return transition(wanted, present, "wg0", Backend::iptables, Family::ipv4);
    };
    const std::string first = made("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
    CHECK(first.find(":wgkit-in-wg0 - [0:0]\n") != first.npos);
    CHECK(first.find("\n-I INPUT 1 -j wgkit-in-wg0\n") != first.npos);
    CHECK(made("*filter\n:wgkit-in-wg0 - [0:0]\n-A INPUT -j wgkit-in-wg1\n"
               "-A INPUT -j wgkit-in-wg0\nCOMMIT\n")
              .find("INPUT 1")
          == std::string::npos);
    // Somebody is in front, or it is entered twice.
    for (const char* before : {"-A INPUT -j ACCEPT\n", "-A INPUT -j wgkit-in-wg0\n"}) {
        const std::string text = made("*filter\n:wgkit-in-wg0 - [0:0]\n" + std::string(before)
                                      + "-A INPUT -j wgkit-in-wg0\nCOMMIT\n");
        CHECK(text.find("-D INPUT -j wgkit-in-wg0\n") != text.npos);
        CHECK(text.find("-I INPUT 1 -j wgkit-in-wg0\n") != text.npos);
    }
    // Removing takes the chain along, and leaves others'.
    CHECK(transition("",
                     "*filter\n:wgkit-in-wg0 - [0:0]\n:wgkit-in-wg1 - [0:0]\n"
                     "-A INPUT -j wgkit-in-wg0\nCOMMIT\n",
                     "wg0", Backend::iptables, Family::ipv4)
          == "*filter\n-D INPUT -j wgkit-in-wg0\n-F wgkit-in-wg0\n-X wgkit-in-wg0\nCOMMIT\n");
    CHECK(transition("", "*filter\nCOMMIT\n", "wg0", Backend::iptables, Family::ipv4).empty());
}

TEST_CASE("of a listing, what concerns the interface is kept", "[fw]") {
    const auto own = own_chains("*filter\n:INPUT ACCEPT [0:0]\n:wgkit-in-wg0 - [0:0]\n"
                                ":wgkit-in-wg1 - [0:0]\n:other - [0:0]\n"
                                "-A INPUT -i lo -j ACCEPT\n-A INPUT -i wg0 -j ACCEPT\n"
                                "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                                "-A INPUT -j wgkit-in-wg1\n-A INPUT -j wgkit-in-wg0\n"
                                "-A INPUT -j other\n-A wgkit-in-wg0 -j DROP\n"
                                "-A wgkit-in-wg1 -j DROP\n-A other -j DROP\nCOMMIT\n",
                                "wg0", Backend::iptables, Family::ipv4);
    CHECK(own
          == "*filter\n:wgkit-in-wg0 - [0:0]\n-A wgkit-in-wg0 -j DROP\n"
             "-A INPUT -i wg0 -j ACCEPT\n-A INPUT -j wgkit-in-wg0\nCOMMIT\n");
}

TEST_CASE("our lines in a file of ufw are replaced, and no others", "[fw]") {
    const std::string file = "*filter\nCOMMIT\n";
    const auto with = with_ufw_block(file, "wg0", "a\n");
    REQUIRE(with);
    CHECK(*with == file + "# wgkit fw wg0: begin\na\n# wgkit fw wg0: end\n");
    CHECK(*read_ufw_block(*with, "wg0") == "a\n");
    CHECK(read_ufw_block(*with, "wg1")->empty());
    CHECK(*with_ufw_block(*with_ufw_block(*with, "wg1", "b\n"), "wg0", "")
          == file + "# wgkit fw wg1: begin\nb\n# wgkit fw wg1: end\n");
    CHECK(*with_ufw_block(*with, "wg0", "") == file);
    CHECK(*with_ufw_block("no newline", "wg0", "") == "no newline");
    CHECK_FALSE(with_ufw_block(file + "# wgkit fw wg0: begin\n", "wg0", ""));
}

TEST_CASE("a connection is looked up in ufw's rules in their order", "[fw]") {
    const auto rules =
        parse_ufw_rules("### tuple ### deny tcp 22 0.0.0.0/0 any 192.0.2.9 in\n"
                        "### tuple ### allow tcp 22 0.0.0.0/0 any 192.0.2.0/24 in\n"
                        "### tuple ### allow udp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
                        "### tuple ### limit any 2222 0.0.0.0/0 any 0.0.0.0/0 in_eth0\n"
                        "### tuple ### route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in\n");
    REQUIRE(rules.size() == 5);
    const auto decides = [&](const char* client, std::uint16_t port, const char* device) {
        const auto* rule = deciding_rule(rules, {fw_ip(client), fw_ip("192.0.2.1"), port, device});
        return rule == nullptr ? -1 : static_cast<int>(rule - rules.data());
    };
    CHECK(decides("192.0.2.9", 22, "eth0") == 0);
    CHECK(decides("192.0.2.8", 22, "eth0") == 1);
    CHECK(decides("198.51.100.1", 22, "eth0") == -1);
    CHECK(decides("198.51.100.1", 2222, "eth0") == 3);
    CHECK(decides("198.51.100.1", 2222, "eth1") == -1);
}

TEST_CASE("an SSH connection is judged by the rules themselves", "[fw]") {
    LockdownOptions options;
    options.allow = {"2222/tcp"};
    const Ruleset ruleset = *lockdown(options);
    CHECK_FALSE(refuses(ruleset, {fw_ip("10.8.0.2"), fw_ip("10.8.0.1"), 2222, "wg0"}));
    CHECK(refuses(ruleset, {fw_ip("10.8.0.2"), fw_ip("10.8.0.1"), 22, "wg0"}));
    CHECK_FALSE(refuses(ruleset, {fw_ip("198.51.100.2"), fw_ip("192.0.2.1"), 22, "eth0"}));
    CHECK_FALSE(accepts(ruleset, {fw_ip("198.51.100.2"), fw_ip("192.0.2.1"), 22, "eth0"}));
    Ruleset closed = ruleset;
    closed.closed = true;
    CHECK(refuses(closed, {fw_ip("198.51.100.2"), fw_ip("192.0.2.1"), 22, "eth0"}));
}

TEST_CASE("flows are cut that the rules would not let begin", "[fw]") {
    const auto flows = parse_flows(
        "tcp      6 431999 ESTABLISHED src=10.8.0.2 dst=10.8.0.1 sport=5000 dport=80 src=10.8.0.1 "
        "dst=10.8.0.2 sport=80 dport=5000 [ASSURED] mark=0 use=1\n"
        "udp      17 20 src=10.8.0.2 dst=10.8.0.1 sport=5000 dport=53 [UNREPLIED] src=10.8.0.1 "
        "dst=10.8.0.2 sport=53 dport=5000 mark=0 use=1\n"
        "icmp     1 29 src=10.8.0.2 dst=10.8.0.1 type=8 code=0 id=7 src=10.8.0.1 dst=10.8.0.2 "
        "type=0 code=0 id=7 mark=0 use=1\n"
        "tcp      6 9 SYN_SENT src=10.8.0.1 dst=10.8.0.2 sport=9 dport=9 src=10.8.0.2 dst=10.8.0.1 "
        "sport=9 dport=9\nnonsense\n");
    REQUIRE(flows.size() == 4);
    LockdownOptions options;
    options.allow = {"53"};
    const auto device = [](const IpAddress& address) {
        return std::string(address == fw_ip("10.8.0.1") ? "lo" : "wg0");
    };
    const auto cut = refused_flows(flows, *lockdown(options), device);
    REQUIRE(cut.size() == 1);
    CHECK(cut[0].destination_port == 80);
    CHECK(cut[0].source_port == 5000);
}

TEST_CASE("other firewalls are known by their chains", "[fw]") {
    const auto names = [](const char* chains, Backend backend) {
        std::vector<std::string> list;
        for (const auto& one : managers_in(chains, backend)) list.push_back(one.name);
        return list;
    };
    const char* ufw = "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority "
                      "filter; policy drop;\n\t}\n\tchain ufw-user-input {\n\t}\n}\n";
    CHECK(names(ufw, Backend::nftables) == std::vector<std::string>{"ufw"});
    CHECK(names(ufw, Backend::ufw).empty());
    const char* strict =
        "table inet filter {\n\tchain in {\n\t\ttype filter hook input priority 5; "
        "policy drop;\n\t}\n}\n"
        "table inet wgkit_fw_wg0 {\n\tchain input {\n\t\ttype filter hook input "
        "priority filter; policy accept;\n\t}\n}\n";
    CHECK(names(strict, Backend::iptables) == std::vector<std::string>{"table inet filter"});
    CHECK(names("table inet firewalld {\n\tchain filter_INPUT {\n\t\ttype filter hook input "
                "priority filter + 10; policy accept;\n\t}\n}\n",
                Backend::nftables)
          == std::vector<std::string>{"firewalld"});
    CHECK(names("table ip filter {\n\tchain DOCKER-USER {\n\t}\n}\n", Backend::ufw)
          == std::vector<std::string>{"Docker"});
}
