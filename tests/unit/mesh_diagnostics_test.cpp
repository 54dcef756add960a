// Every finding has a mutation of one valid fleet that causes it and nothing else.
#include <algorithm>
#include <set>

#include "mesh/check/codes.hpp"
#include "support/catch.hpp"
#include "wgkit/mesh.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

namespace {

const std::string valid = R"(version: 1
networks:
  - name: prod
    ipv4: 10.10.0.0/24
    ipv6: fd00:10::/64
    psk: per-pair
    topology:
      - hub: [tag:hub]
        spokes: [tag:client]
      - mesh: [tag:hub, tag:db]
      - links: [[alone, db1]]
      - mesh: [tag:remote]
  - name: lab
    interface: wg1
    ipv4: 10.20.0.0/29
    topology: full-mesh
defaults:
  mtu: 1420
groups:
  client: {keepalive: 25}
nodes:
  - {name: hub1, networks: [prod], tags: [hub], endpoint: h1.example.org:51820, exit: true}
  - {name: hub2, networks: [prod], tags: [hub], endpoint: "[2001:db8::2]:51820"}
  - {name: db1, networks: [prod], tags: [db], endpoint: 192.0.2.1:51820, ipv4: 10.10.0.50}
  - {name: db2, networks: [prod], tags: [db], endpoint: 192.0.2.2:51820, routes: [192.168.2.0/24]}
  - {name: db3, networks: [prod], tags: [db], endpoint: 192.0.2.3:51820, format: networkd}
  - {name: db4, networks: [prod], tags: [db], endpoint: 192.0.2.4:51820, port: 51820}
  - {name: alone, networks: [prod]}
  - {name: c1, networks: [prod], tags: [client], exit_via: hub1, dns: [9.9.9.9, example.org]}
  - {name: c2, networks: [prod], tags: [client], expires: 2030-01-01}
  - {name: c3, networks: [prod], tags: [client], disabled: false}
  - {name: c4, networks: [prod], tags: [client], hooks: {post_up: ["true"]}}
  - {name: c5, networks: [prod], tags: [client], keys: local, peers: {hub1: {keepalive: 20}}}
  - {name: c6, networks: [prod], tags: [client], public_key: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="}
  - {name: phone, networks: [prod], tags: [client], managed: false, public_key: "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="}
  - {name: r1, networks: [prod], tags: [remote], underlays: [{name: lan, endpoint: 10.99.0.1:51820}], relay: true}
  - {name: r2, networks: [prod], tags: [remote], underlays: [lan]}
  - {name: r3, networks: [prod], tags: [remote], underlays: [lan]}
  - {name: both, networks: {prod: {}, lab: {port: 51999}}, tags: [db], endpoint: 192.0.2.9:51820}
  - {name: lab1, networks: [lab], endpoint: 192.0.2.1:51820}
  - {name: lab2, networks: [lab], endpoint: 192.0.2.2:51820}
)";

constexpr Date now{std::chrono::days(20000)}; // 2024-10-04

Fleet load(const std::string& nodes) {
    return load_text(Paths::beside("nodes.yaml"), nodes, "", now);
}

struct Mutation {
    std::string from;
    std::string to;
    std::string code;
    std::string at; ///< the text that the finding points to, in the mutated file
};

std::string bomb() {
    std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char c = 'b'; c < 'i'; ++c) {
        text += std::string(1, c) + ": &" + c + " [";
        for (int i = 0; i < 10; ++i) text += std::string("*") + static_cast<char>(c - 1) + ", ";
        text += "]\n";
    }
    return text;
}

// clang-format off
const std::vector<Mutation> mutations{
    {"ipv4: 10.10.0.50}", "ipv4: 10.11.0.50}", "address-outside-pool", "10.11.0.50"},
    {"version: 1", "version: &v [*v]", "alias-budget", "*v]"},
    {"port: 51820}", "port: many}", "bad-value", "many"},
    {"[9.9.9.9, example.org]", "[9.9.9.9, exa/mple]", "bad-value", "exa/mple"},
    {"[9.9.9.9, example.org]", "[9.9.9.256, example.org]", "bad-value", "9.9.9.256"},
    {"keys: local, peers", "keys: local, keys: local, peers", "duplicate-yaml-key", "keys: local, peers"},
    {"51820, exit: true}", "51820, exit: true, disabled: true}", "depends-on-inactive", "hub1, dns"},
    {"relay: true}", "relay: true, disabled: true}", "depends-on-inactive", "true}\n  - {name: r2"},
    {"name: db2, networks: [prod],", "name: db2, ipv4: 10.10.0.50, networks: [prod],", "duplicate-address", "10.10.0.50, networks"},
    {"192.0.2.4:51820", "192.0.2.3:51820", "duplicate-endpoint", "192.0.2.3:51820, port"},
    {"interface: wg1", "interface: wg0", "duplicate-interface", "wg0"},
    {"HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=", "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", "duplicate-key", "\"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\"}\n  - {name: r1"},
    {"name: c3", "name: C4", "duplicate-name", "c4, networks"},
    {"port: 51999", "port: 51820", "duplicate-port", "51820}}"},
    {"51820, format: networkd", "51820, routes: [192.168.2.0/24]", "duplicate-route", "192.168.2.0/24]}\n  - {name: db4"},
    {"192.0.2.4:51820", "10.10.0.200:51820", "endpoint-in-tunnel", "10.10.0.200"},
    {"exit_via: hub1", "exit_via: hub2", "exit-not-offered", "hub2, dns"},
    {"dns: [9.9.9.9, example.org]", "dns: []", "exit-without-dns", "hub1, dns"},
    {"2030-01-01", "2024-10-04", "expired", "2024-10-04"},
    {"hooks: {post_up", "format: networkd, hooks: {post_up", "format-cannot", "{post_up"},
    {"51820, exit: true}", "51820, format: netplan, exit: true}", "format-cannot", "true}"},
    {"192.168.2.0/24", "192.168.2.1/24", "host-bits", "192.168.2.1/24"},
    {"{keepalive: 25}", "{keepalive: 91}", "keepalive-too-long", "91"},
    {"{keepalive: 20}", "{keepalive: 120}", "keepalive-too-long", "120"},
    {"keys: local, peers", "keys: node, public_key: \"TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=\", peers", "key-on-node", "node, public_key"},
    {"version: 1\n", "", "missing-field", "networks:\n  - name: prod"},
    {"managed: false, public_key: \"HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=\"", "managed: false", "missing-public-key", "phone"},
    {"port: 51820}", "mtu: 1380}", "mtu-asymmetry", "1380"},
    {"port: 51820}", "mtu: 1200}", "mtu-below-ipv6", "1200"},
    {"links: [[alone, db1]]", "links: [[alone, c3]]", "no-path", "c3, networks"},
    {"name: alone", "name: al_one", "not-a-dns-label", "al_one"},
    {"51820, format: networkd", "51820, routes: [192.168.2.128/25]", "overlapping-allowed-ips", "192.168.2.128/25"},
    {"51820, format: networkd", "51820, routes: [10.0.0.0/8]", "overlapping-allowed-ips", "10.0.0.0/8"},
    {"10.20.0.0/29", "10.10.0.128/25", "overlapping-pools", "10.10.0.128/25"},
    {"[[alone, db1]]", "[[alone, db1], [db1, db1]]", "own-peer", "db1]]"},
    {"peers: {hub1", "peers: {c5", "own-peer", "c5: {keep"},
    {"10.20.0.0/29", "10.20.0.0/31", "pool-exhausted", "10.20.0.0/31"},
    {"port: 51820}", "port: 70000}", "port-out-of-range", "70000"},
    {"192.0.2.4:51820", "192.0.2.4:70000", "port-out-of-range", "192.0.2.4:70000"},
    {"[9.9.9.9, example.org]", "[example.org]", "search-only-dns", "example.org]}"},
    {"{keepalive: 20}", "{allowed_ips: [10.10.0.1/32], keepalive: 20}, hub2: {allowed_ips: [10.10.0.1/32]}", "shadowed-allowed-ips", "10.10.0.1/32]}}"},
    {"\"[2001:db8::2]:51820\"", "\"2001:db8::2:51820\"", "unbracketed-ipv6", "\"2001:db8::2:51820\""},
    {"disabled: false", "disable: false", "unknown-field", "disable: false"},
    {"networks: [lab], endpoint: 192.0.2.2", "networks: [lba], endpoint: 192.0.2.2", "unknown-network", "lba"},
    {"[[alone, db1]]", "[[alone, db9]]", "unknown-node", "db9"},
    {"exit_via: hub1", "exit_via: hub7", "unknown-node", "hub7"},
    {"peers: {hub1", "peers: {hub9", "unknown-node", "hub9"},
    {"spokes: [tag:client]", "spokes: [tag:client, tag:clint]", "unknown-tag", "tag:clint"},
    {"{keepalive: 25}", "[25]", "wrong-type", "[25]"},
    {"version: 1", "version: [1", "yaml-syntax", ":\n  - name: prod"},
};
// clang-format on

std::string mutate(const Mutation& mutation) {
    std::string text = valid;
    const auto at = text.find(mutation.from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, mutation.from.size(), mutation.to);
}

std::size_t offset_of(const std::string& text, Mark mark) {
    std::size_t at = 0;
    for (std::uint32_t line = 1; line < mark.line; ++line) at = text.find('\n', at) + 1;
    return at + mark.column - 1;
}

std::string all_of(const Fleet& fleet) {
    std::string text;
    for (const auto& one : fleet.diagnostics.all()) text += to_text(one) + "\n";
    return text;
}

} // namespace

TEST_CASE("a fleet of twenty nodes without a mistake has no finding") {
    const Fleet fleet = load(valid);
    INFO(all_of(fleet));
    CHECK(fleet.diagnostics.empty());
    std::set<std::string> names;
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes) names.insert(node.name.value);
    CHECK(names.size() == 20);
}

TEST_CASE("one mistake gives exactly its finding, at its place") {
    for (const auto& mutation : mutations) {
        const std::string text = mutate(mutation);
        const Fleet fleet = load(text);
        INFO(mutation.from << " -> " << mutation.to << "\n" << all_of(fleet));
        CHECK(!fleet.diagnostics.empty());
        if (fleet.diagnostics.empty()) continue;
        const auto& all = fleet.diagnostics.all();
        CHECK(all.size() == 1);
        CHECK(all.front().code == mutation.code);
        CHECK(text.substr(offset_of(text, all.front().mark), mutation.at.size()) == mutation.at);
        const auto codes = diagnostic_codes();
        const auto info = std::find_if(codes.begin(), codes.end(),
                                       [&](const auto& c) { return c.code == all.front().code; });
        REQUIRE(info != codes.end());
        CHECK(info->severity == all.front().severity);
    }
}

TEST_CASE("every code has a mutation") {
    std::string_view last;
    for (const auto& info : diagnostic_codes()) {
        INFO(info.code);
        CHECK(std::any_of(mutations.begin(), mutations.end(),
                          [&](const Mutation& m) { return m.code == info.code; }));
        CHECK(last < info.code);
        last = info.code;
    }
}

TEST_CASE("aliases that expand without end are refused") {
    const Fleet fleet = load(bomb() + valid);
    REQUIRE(!fleet.diagnostics.empty());
    CHECK(std::any_of(fleet.diagnostics.all().begin(), fleet.diagnostics.all().end(),
                      [](const Diagnostic& d) { return d.code == "alias-budget"; }));
}

TEST_CASE("a value that many nodes inherit is reported once") {
    std::string text = "version: 1\nnetwork: {name: n, ipv4: 10.0.0.0/24}\n"
                       "defaults: {keepalive: 100}\nnodes:\n";
    for (int i = 1; i < 20; ++i)
        text += "  - {name: n" + std::to_string(i) + ", endpoint: 192.0.2." + std::to_string(i)
                + ":1}\n";
    CHECK(load(text).diagnostics.all().size() == 1);
}

TEST_CASE("a fleet without endpoints names each node once") {
    std::string text = "version: 1\nnetwork: {name: n, ipv4: 10.0.0.0/16}\nnodes:\n";
    for (int i = 0; i < 300; ++i) text += "  - {name: n" + std::to_string(i) + "}\n";
    CHECK(load(text).diagnostics.all().size() == 300);
}
