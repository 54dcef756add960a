#include "wgkit/host.hpp"

#include <algorithm>
#include <set>

#include "device/packet_filter.hpp"
#include "support/catch.hpp"

using namespace wgkit;

namespace {

using Texts = std::vector<std::string>;

Prefix prefix(const char* text) { return *Prefix::parse(text); }
std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
    std::vector<Prefix> out;
    for (const char* text : texts) out.push_back(prefix(text));
    return out;
}

config::Interface interface(std::initializer_list<const char*> addresses) {
    config::Interface out;
    out.addresses = prefixes(addresses);
    return out;
}

HostWanted wanted(const config::Interface& interface, std::initializer_list<const char*> allowed,
                  const HostFacts& facts = {}) {
    return wanted_host(interface, prefixes(allowed), facts);
}

Texts routes(const HostState& state) {
    Texts out;
    for (const auto& route : state.routes)
        out.push_back(to_string(route.destination) + " " + std::to_string(route.table));
    return out;
}

Texts texts(const std::vector<HostStep>& steps) {
    Texts out;
    for (const auto& step : steps) out.push_back(to_string(step, "wg0"));
    return out;
}

/// What `apply_step` does, in memory.
struct Do {
    HostState& state;
    bool remove;

    template <class Item>
    void change(std::vector<Item>& list, const Item& item) const {
        const auto at = std::find(list.begin(), list.end(), item);
        REQUIRE((at != list.end()) == remove);
        if (remove)
            list.erase(at);
        else
            list.push_back(item);
    }
    void operator()(const HostMtu& step) const {
        REQUIRE(state.mtu == step.before);
        state.mtu = step.mtu;
    }
    void operator()(const HostUp&) const { state.is_up = !remove; }
    void operator()(const HostSrcValidMark&) const { state.src_valid_mark = !remove; }
    void operator()(const Prefix& address) const { change(state.addresses, address); }
    void operator()(const HostRoute& route) const { change(state.routes, route); }
    void operator()(const HostRule& rule) const { change(state.rules, rule); }
    void operator()(const HostFilterChange& step) const {
        if (step.before) {
            const auto at = std::find(state.filters.begin(), state.filters.end(), *step.before);
            REQUIRE(at != state.filters.end());
            *at = step.filter;
            return;
        }
        change(state.filters, step.filter);
    }
};

void do_step(HostState& state, const HostStep& step) {
    std::visit(Do{state, step.remove}, step.what);
}

/// Without order, as the kernel keeps what it has.
HostState sorted(HostState state) {
    std::sort(state.addresses.begin(), state.addresses.end());
    std::sort(state.routes.begin(), state.routes.end());
    std::sort(state.rules.begin(), state.rules.end());
    std::sort(state.filters.begin(), state.filters.end());
    return state;
}

std::vector<HostWanted> many_states() {
    std::vector<HostWanted> out;
    auto four = interface({"10.0.0.1/24"});
    const auto make = [] { return interface({"10.0.0.1/24", "fd00::1/64"}); };
    const auto both = make();
    auto other = interface({"10.0.0.2/24", "10.9.0.1/32"});
    other.mtu = 1300;
    auto table = make();
    table.table = "123";
    auto off = make();
    off.table = "off";
    auto marked = make();
    marked.fw_mark = 77;
    out.push_back({});
    out.push_back(wanted(four, {"10.0.0.2/32", "10.1.0.0/16"}));
    out.push_back(wanted(both, {"0.0.0.0/0"}));
    out.push_back(wanted(both, {"0.0.0.0/0", "::/0", "192.0.2.0/24"}));
    out.push_back(wanted(other, {"0.0.0.0/0"}));
    out.push_back(wanted(table, {"0.0.0.0/0", "10.0.0.0/8"}, {.table = 123}));
    out.push_back(wanted(off, {"0.0.0.0/0", "10.0.0.0/8"}));
    out.push_back(wanted(marked, {"::/0", "10.0.0.0/8"}));
    return out;
}

} // namespace

TEST_CASE("routes lead to allowed IPs that no address of the interface covers, longest first") {
    const auto state = wanted(interface({"10.0.0.1/24", "fd00::1/64"}),
                              {"10.0.0.2/32", "10.1.0.0/16", "10.1.2.0/24", "fd00::2/128",
                               "fd01::/48", "10.1.2.3/24"})
                           .state;
    CHECK(routes(state) == Texts{"fd01::/48 254", "10.1.2.0/24 254", "10.1.0.0/16 254"});
    CHECK(state.rules.empty());
    CHECK(state.filters.empty());
    CHECK(state.is_up);
}

TEST_CASE("an IPv4 address alone has no route of the kernel, an IPv6 one has") {
    const auto state =
        wanted(interface({"10.0.0.1/32", "fd00::1/128"}), {"10.0.0.1/32", "fd00::1/128"}).state;
    CHECK(routes(state) == Texts{"10.0.0.1/32 254"});
}

TEST_CASE("a default route gets a table, two rules, a filter and a mark") {
    const auto out =
        wanted(interface({"10.0.0.1/24"}), {"0.0.0.0/0", "192.0.2.0/24"}, {.free_table = 51822});
    CHECK(out.fwmark == 51822);
    CHECK(routes(out.state) == Texts{"192.0.2.0/24 254", "0.0.0.0/0 51822"});
    CHECK(texts(diff(out.state, {}, {}))
          == Texts{"ip -4 address add 10.0.0.1/24 dev wg0", "ip link set up dev wg0",
                   "ip -4 route add 192.0.2.0/24 dev wg0",
                   "ip -4 route add 0.0.0.0/0 dev wg0 table 51822",
                   "sysctl -w net.ipv4.conf.all.src_valid_mark=1",
                   "ip -4 rule add not fwmark 51822 table 51822 priority 32765 protocol kernel",
                   "ip -4 rule add table main suppress_prefixlength 0 priority 32764 "
                   "protocol kernel",
                   "nft add table ip wg-quick-wg0"});
}

TEST_CASE("the mark of a full tunnel is the file's, else the device's, else a free table's") {
    auto file = interface({"10.0.0.1/24"});
    CHECK(wanted(file, {"::/0"}, {.fwmark = 7, .free_table = 9}).fwmark == 7);
    file.fw_mark = 5;
    CHECK(wanted(file, {"::/0"}, {.fwmark = 7, .free_table = 9}).fwmark == 5);
    file.fw_mark = 0;
    CHECK(wanted(file, {"::/0"}, {.free_table = 9}).fwmark == 9);
    CHECK(wanted(file, {"10.0.0.0/8"}, {.free_table = 9}).fwmark == 0);
}

TEST_CASE("Table says where routes go, and off says nowhere") {
    auto file = interface({"10.0.0.1/24"});
    file.table = "mine";
    const auto own = wanted(file, {"0.0.0.0/0", "10.0.0.2/32"}, {.table = 300});
    CHECK(routes(own.state) == Texts{"10.0.0.2/32 300", "0.0.0.0/0 300"});
    CHECK(own.state.rules.empty());
    CHECK(own.fwmark == 0);
    file.table = "off";
    CHECK(wanted(file, {"0.0.0.0/0", "10.1.0.0/16"}).state.routes.empty());
}

TEST_CASE("the MTU is the file's, else the path's less 80, else left alone") {
    auto file = interface({"10.0.0.1/24"});
    CHECK(wanted(file, {}, {.path_mtu = 1500}).state.mtu == 1420);
    CHECK(wanted(file, {}).state.mtu == 0);
    CHECK(wanted(file, {}, {.path_mtu = 40}).state.mtu == 0);
    file.mtu = 1280;
    CHECK(wanted(file, {}, {.path_mtu = 1500}).state.mtu == 1280);
}

TEST_CASE("a second full tunnel's rules come before the first one's") {
    HostState present;
    present.first_rule_ipv4 = 32764;
    const auto out = wanted(interface({"10.0.0.1/24"}), {"0.0.0.0/0"}, {.free_table = 51821});
    Texts rules;
    for (const auto& text : texts(diff(out.state, present, {})))
        if (text.find("rule") != text.npos) rules.push_back(text.substr(text.find("prio")));
    CHECK(rules == Texts{"priority 32763 protocol kernel", "priority 32762 protocol kernel"});
}

TEST_CASE("a missing neighbour of a rule comes back beside it") {
    const auto out = wanted(interface({"10.0.0.1/24"}), {"0.0.0.0/0"});
    HostState present = out.state;
    present.first_rule_ipv4 = 32000;
    present.rules = {{.unless_mark = 51820, .table = 51820, .priority = 32765}};
    CHECK(texts(diff(out.state, present, {}))
          == Texts{"ip -4 rule add table main suppress_prefixlength 0 priority 32764 "
                   "protocol kernel"});
}

TEST_CASE("another mark gets two rules of its own, and those of before go") {
    auto file = interface({"10.0.0.1/24"});
    HostState present = wanted(file, {"0.0.0.0/0"}).state;
    std::uint32_t priority = 32766;
    for (auto& rule : present.rules) rule.priority = --priority;
    present.first_rule_ipv4 = priority;
    file.fw_mark = 77;
    Texts rules;
    for (const auto& text : texts(diff(wanted(file, {"0.0.0.0/0"}).state, present, {})))
        if (text.find(" rule ") != text.npos) rules.push_back(text);
    CHECK(rules
          == Texts{"ip -4 rule add not fwmark 77 table 77 priority 32763 protocol kernel",
                   "ip -4 rule add table main suppress_prefixlength 0 priority 32762 "
                   "protocol kernel",
                   "ip -4 rule delete table main suppress_prefixlength 0 priority 32764",
                   "ip -4 rule delete not fwmark 51820 table 51820 priority 32765"});
}

TEST_CASE("a link-local address, which comes by itself, makes no other filter") {
    const auto out = wanted(interface({"fd00::1/64"}), {"::/0"});
    HostState present = out.state;
    std::uint32_t priority = 32766;
    for (auto& rule : present.rules) rule.priority = --priority;
    present.filters.front().addresses.push_back(*IpAddress::parse("fe80::1"));
    CHECK(texts(diff(out.state, present, {})).empty());
}

TEST_CASE("only routes to the device's own allowed IPs, made by hand, are removed") {
    HostState present;
    present.routes = {{prefix("10.1.0.0/16")},
                      {prefix("10.2.0.0/16")},
                      {prefix("10.3.0.0/16"), main_routing_table, 186 /* bgp */},
                      {prefix("10.0.0.0/24"), main_routing_table, 2 /* kernel */}};
    const auto owned = prefixes({"10.1.2.3/16", "10.3.0.0/16", "10.0.0.0/24"});
    CHECK(texts(diff({}, present, owned)) == Texts{"ip -4 route delete 10.1.0.0/16 dev wg0"});
}

TEST_CASE("link-local addresses stay") {
    HostState present;
    present.addresses = prefixes({"fe80::1/64", "10.0.0.1/24"});
    CHECK(texts(diff({}, present, {})) == Texts{"ip -4 address delete 10.0.0.1/24 dev wg0"});
}

TEST_CASE("what is new comes before what goes") {
    const auto before = wanted(interface({"10.0.0.1/24"}), {"10.1.0.0/16", "0.0.0.0/0"});
    const auto after = wanted(interface({"10.0.0.9/24"}), {"10.2.0.0/16", "::/0"});
    const auto owned = prefixes({"10.1.0.0/16", "0.0.0.0/0"});
    const auto steps = diff(after.state, before.state, owned);
    const auto first =
        std::find_if(steps.begin(), steps.end(), [](const HostStep& step) { return step.remove; });
    CHECK(first != steps.end());
    CHECK(std::all_of(first, steps.end(), [](const HostStep& step) { return step.remove; }));
}

TEST_CASE("after the steps the wanted state is there, and each inverse leads back") {
    const auto states = many_states();
    for (const auto& from : states) {
        for (const auto& to : states) {
            HostState present = from.state;
            std::uint32_t priority = 32766;
            for (auto& rule : present.rules) rule.priority = --priority;
            present.first_rule_ipv4 = present.first_rule_ipv6 = priority;
            if (present.mtu == 0) present.mtu = 1420;
            std::vector<Prefix> owned;
            for (const auto& route : present.routes) owned.push_back(route.destination);

            HostState now = present;
            const auto steps = diff(to.state, present, owned);
            for (const auto& step : steps) do_step(now, step);
            CHECK(diff(to.state, now, owned).empty());
            auto reached = sorted(now);
            for (auto& rule : reached.rules) rule.priority = 0;
            auto wished = sorted(to.state);
            CHECK(sorted(reached).rules == wished.rules);
            CHECK(reached.routes == wished.routes);
            CHECK(reached.addresses == wished.addresses);
            CHECK(reached.filters == wished.filters);
            for (auto step = steps.rbegin(); step != steps.rend(); ++step)
                do_step(now, inverse(*step));
            CHECK(sorted(now) == sorted(present));
        }
    }
}

TEST_CASE("the filter of a full tunnel is one transaction that may run twice") {
    const HostFilter filter{Family::ipv4, 51820, {*IpAddress::parse("10.0.0.1")}};
    const auto text = nft_text(filter, "wg0", false);
    CHECK(text.starts_with("add table ip wg-quick-wg0\ndelete table ip wg-quick-wg0\n"));
    CHECK(text.find("add rule ip wg-quick-wg0 preraw iifname != \"wg0\" ip daddr 10.0.0.1 "
                    "fib saddr type != local drop\n")
          != text.npos);
    CHECK(nft_text(filter, "wg0", true)
          == "add table ip wg-quick-wg0\ndelete table ip wg-quick-wg0\n");
    CHECK(iptables_text(filter, "wg0", true).find("-I") == std::string::npos);
}
