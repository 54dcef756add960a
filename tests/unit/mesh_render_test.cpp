// Every format's files as they are deployed, against golden files. Run with WGKIT_UPDATE_GOLDEN=1
// to write these anew, then read the difference.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "mesh/render/render.hpp"
#include "support/catch.hpp"
#include "support/vectors.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

namespace {

constexpr Format all_formats[] = {Format::wg_quick, Format::networkd, Format::networkmanager,
                                  Format::netplan};
constexpr Date today{std::chrono::days{20000}};

std::string golden_path(const std::string& name) { return test::vector_path("render/" + name); }

std::string slurp(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

PrivateKey key_number(std::size_t number) {
    std::array<std::uint8_t, key_bytes> bytes{};
    bytes.fill(static_cast<std::uint8_t>(number));
    return PrivateKey(bytes);
}

/// A fleet with keys that are the same every time.
class TestFleet {
  public:
    explicit TestFleet(const std::string& text) : parsed_(parse_inventory(text, "nodes.yaml")) {
        REQUIRE(parsed_.diagnostics.errors() == 0);
        Diagnostics diagnostics;
        lock_ = reconcile(network(), {network().name.value, {}, {}}, today, diagnostics);
        REQUIRE(diagnostics.errors() == 0);
        for (std::size_t i = 0; i < network().nodes.size(); ++i) {
            const Node& node = network().nodes[i];
            PrivateKey key = key_number(i + 1);
            lock_.find(node.name.value)->key = public_key(key);
            secrets_.keys.emplace_back();
            if (node.keys == Custody::local) secrets_.keys.back() = std::move(key);
        }
        auto master =
            PskMaster::parse("1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "psk-master");
        REQUIRE(master);
        secrets_.master = std::move(*master);
        plan_.emplace(network(), lock_, today);
    }

    std::vector<RenderedFile> files(NodeIndex node, Format format) const {
        PairKeys pair_keys(*secrets_.master, network().name.value);
        const auto view = make_view(*plan_, node, secrets_, &pair_keys);
        REQUIRE(view);
        return render_node(*view, PeerTexts(*plan_), format);
    }

    /// All files of all nodes, with their modes.
    std::string dump(Format format) const {
        std::string text;
        for (NodeIndex i = 0; i < plan_->size(); ++i)
            for (const auto& file : files(i, format))
                text += fmt::format("==> {}/{} {:04o}\n{}\n", network().nodes[i].name.value,
                                    file.path, file.mode, std::string_view(file.content));
        return text;
    }

    const Network& network() const { return parsed_.inventory.networks.front(); }

  private:
    ParsedInventory parsed_;
    LockedNetwork lock_;
    NetworkSecrets secrets_;
    std::optional<Plan> plan_;
};

void compare_with_golden(const std::string& fleet, Format format) {
    INFO(fleet << " as " << to_string(format));
    const auto path = golden_path(fmt::format("{}.{}.golden", fleet, to_string(format)));
    const auto text = TestFleet(slurp(golden_path(fmt::format("{}.yaml", fleet)))).dump(format);
    if (std::getenv("WGKIT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
    CHECK(text == slurp(path));
}

std::string content(const TestFleet& fleet, NodeIndex node, Format format, std::size_t file = 0) {
    return std::string(fleet.files(node, format).at(file).content);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A client of an exit node, with one line of its own.
TestFleet client(const std::string& fields) {
    return TestFleet(fmt::format(R"(version: 1
network: {{name: n, ipv4: 10.0.0.0/24}}
nodes:
  - {{name: gw, endpoint: 192.0.2.1, exit: true, routes: [10.9.0.0/24]}}
  - {{name: c, exit_via: gw, {}}}
)",
                                 fields));
}

} // namespace

TEST_CASE("a full tunnel and its exit node in every format") {
    for (const auto format : all_formats) compare_with_golden("full-tunnel", format);
}

TEST_CASE("an exit node with iptables") { compare_with_golden("exit-iptables", Format::wg_quick); }

TEST_CASE("private keys that only their nodes have, in every format") {
    for (const auto format : all_formats) compare_with_golden("keys-on-node", format);
}

TEST_CASE("hub and spokes with tables, marks and DNS in every format") {
    for (const auto format : all_formats) compare_with_golden("hub", format);
}

TEST_CASE("a firewall mark of the owner's carries the full tunnel") {
    const auto fleet = client("fwmark: 99");
    CHECK(has(content(fleet, 1, Format::networkd), "FirewallMark=99\n"));
    CHECK(
        has(content(fleet, 1, Format::networkd, 1), "FirewallMark=99\nInvertRule=yes\nTable=99\n"));
    CHECK(has(content(fleet, 1, Format::networkmanager), "fwmark=99\n"));
    CHECK(has(content(fleet, 1, Format::netplan), "mark: 99\n"));
    CHECK(has(content(fleet, 1, Format::netplan), "{to: \"0.0.0.0/0\", scope: link, table: 99}"));
}

TEST_CASE("a table of the owner's takes all routes and brings no rules") {
    for (const std::string_view table : {"77", "0x4d"}) {
        const auto fleet = client(fmt::format("table: {}", table));
        const auto network = content(fleet, 1, Format::networkd, 1);
        CHECK(has(network, "Destination=0.0.0.0/0\nTable=77\n"));
        CHECK(has(network, "Destination=10.9.0.0/24\nTable=77\n"));
        CHECK_FALSE(has(network, "RoutingPolicyRule"));
        const auto keyfile = content(fleet, 1, Format::networkmanager);
        CHECK(has(keyfile, "ip4-auto-default-route=0\n"));
        CHECK(has(keyfile, "route-table=77\n"));
        CHECK(fleet.files(1, Format::netplan).size() == 1);
    }
}

TEST_CASE("no table, no routes") {
    const auto fleet = client("table: off");
    CHECK_FALSE(has(content(fleet, 1, Format::networkd, 1), "[Route]"));
    CHECK(has(content(fleet, 1, Format::networkmanager), "peer-routes=false\n"));
    CHECK_FALSE(has(content(fleet, 1, Format::netplan), "routes:"));
}

TEST_CASE("a connection's UUID belongs to the network and the node") {
    const auto uuid = [](const std::string& network, NodeIndex node) {
        const TestFleet fleet(fmt::format(R"(version: 1
network: {{name: {}, ipv4: 10.0.0.0/24}}
nodes: [{{name: a, endpoint: 192.0.2.1}}, {{name: b}}]
)",
                                          network));
        const auto text = content(fleet, node, Format::networkmanager);
        return text.substr(text.find("uuid=") + 5, 36);
    };
    CHECK(uuid("n", 0) == uuid("n", 0));
    CHECK(uuid("n", 0) != uuid("n", 1));
    CHECK(uuid("n", 0) != uuid("m", 0));
    CHECK(uuid("n", 0)[14] == '8');
}

TEST_CASE("an empty list of allowed IPs does not spoil a netplan file") {
    const TestFleet fleet("version: 1\nnetwork: {name: n, ipv4: 10.0.0.0/24}\nnodes:\n"
                          "  - {name: a, endpoint: 192.0.2.1, peers: {b: {allowed_ips: []}}}\n"
                          "  - {name: b}\n");
    CHECK_FALSE(has(content(fleet, 0, Format::netplan), "- keys"));
}
