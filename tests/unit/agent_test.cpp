#include "agent/compose.hpp"
#include "agent/follower.hpp"
#include "operator/inventory.hpp"
#include "store/address.hpp"
#include "store/wire.hpp"
#include "support/catch.hpp"
#include "support/trust_world.hpp"

using namespace wgkit;
using namespace wgkit::agent;
using test::TrustWorld;

namespace {

constexpr const char* fleet_json =
    R"({"version":"1","network":{"name":"corp","ipv4":"10.0.0.0/16"},)"
    R"("groups":{"edge":{"keepalive":"15"}}})";

/// A store with a published state.
struct Published {
    TrustWorld world;
    store::Layout layout{"corp"};
    std::string root_text;
    std::string root_hash;

    Published() {
        world.snapshot.fleet = world.put(to_json(trust::FleetObject{fleet_json, {}}));
        const std::string json = to_json(world.root);
        root_text = TrustWorld::envelope(trust::type::root, json, {&world.op});
        root_hash = trust::hash_of(json);
    }
    void show(Follower& follower) const {
        follower.put(layout.root(1), root_text, 1);
        for (const auto& [hash, text] : world.objects) follower.put(layout.object(hash), text, 2);
        follower.put(layout.snapshot(), world.signed_snapshot(), 3);
    }
    Follower follower(std::uint64_t minimum = 0) const { return {"corp", root_hash, minimum}; }
    std::string admission_key(const std::string& name) const {
        return layout.admission(key_id(world.delegation.key), name);
    }
};

} // namespace

TEST_CASE("a follower believes what is signed, once it is whole") {
    Published store;
    auto follower = store.follower();
    CHECK_FALSE(follower.update(TrustWorld::now));
    follower.put(store.layout.root(1), store.root_text, 1);
    follower.put(store.layout.snapshot(), store.world.signed_snapshot(), 3);
    CHECK(follower.update(TrustWorld::now).error().code == Errc::not_found);
    CHECK_FALSE(follower.state());
    store.show(follower);
    CHECK(*follower.update(TrustWorld::now));
    CHECK(follower.nodes().size() == 1);
    CHECK_FALSE(*follower.update(TrustWorld::now));
}

TEST_CASE("a follower keeps its state through all that a store may do") {
    Published store;
    auto follower = store.follower();
    store.world.snapshot.revision = 5;
    store.show(follower);
    REQUIRE(*follower.update(TrustWorld::now));
    const auto hash = follower.state()->hash;
    SECTION("everything is gone") { follower.forget_store(); }
    SECTION("objects are removed") {
        for (const auto& [object, text] : store.world.objects)
            follower.remove(store.layout.object(object));
    }
    SECTION("an older state") {
        store.world.snapshot.revision = 4;
        store.show(follower);
        CHECK(follower.update(TrustWorld::now).error().code == Errc::conflict);
    }
    SECTION("another state of the same revision") {
        store.world.snapshot.issued += 1;
        store.show(follower);
        CHECK(follower.update(TrustWorld::now).error().code == Errc::conflict);
    }
    SECTION("rubbish") {
        follower.put(store.layout.snapshot(), "rubbish", 9);
        CHECK_FALSE(follower.update(TrustWorld::now));
    }
    (void)follower.update(TrustWorld::now);
    CHECK(follower.state()->hash == hash);
    // And on disk.
    auto later = store.follower();
    REQUIRE(later.restore(follower.to_text()));
    CHECK(later.state()->hash == hash);
    CHECK(later.position().revision == 5);
}

TEST_CASE("a follower believes nothing older than its join token") {
    Published store;
    auto follower = store.follower(2);
    store.show(follower);
    CHECK(follower.update(TrustWorld::now).error().message == "an older state: revision 1 after 2");
}

TEST_CASE("a state on disk is checked as one from a store") {
    Published store;
    auto follower = store.follower();
    store.show(follower);
    REQUIRE(follower.update(TrustWorld::now));
    std::string text = follower.to_text();
    auto other = store.follower();
    CHECK_FALSE(other.restore("{}"));
    CHECK_FALSE(other.restore("[]"));
    CHECK_FALSE(other.restore(R"({"roots":[7]})"));
    const auto at = text.find("10.0.0.1");
    REQUIRE(at != text.npos);
    text.replace(at, 8, "10.0.0.2");
    CHECK(other.restore(text).error().message.find("on disk is malformed") != std::string::npos);
    CHECK_FALSE(other.state());
}

TEST_CASE("an expired state stays, and is told apart") {
    Published store;
    auto follower = store.follower();
    store.show(follower);
    REQUIRE(follower.update(TrustWorld::now));
    CHECK_FALSE(follower.is_stale(TrustWorld::now));
    CHECK(follower.is_stale(store.world.snapshot.expires));
    CHECK(follower.next_deadline(TrustWorld::now) == store.world.delegation.expires);
    auto later = store.follower();
    REQUIRE(later.restore(follower.to_text()));
    CHECK(later.is_stale(store.world.snapshot.expires));
}

TEST_CASE("nodes come and go by join key") {
    Published store;
    auto follower = store.follower();
    store.show(follower);
    REQUIRE(follower.update(TrustWorld::now));
    const auto stored = store.world.admission("web1", "10.0.9.1");
    follower.put(store.admission_key("web1"), stored.envelope, 8);
    CHECK(*follower.update(TrustWorld::now));
    CHECK(follower.nodes().size() == 2);
    // The join key expires before anybody approved it.
    CHECK(*follower.update(store.world.delegation.expires));
    CHECK(follower.nodes().size() == 1);
}

TEST_CASE("a fleet is put together as wgkit mesh would load it") {
    Published store;
    auto follower = store.follower();
    store.show(follower);
    const auto stored = store.world.admission("web1", "10.0.9.1");
    follower.put(store.admission_key("web1"), stored.envelope, 8);
    REQUIRE(follower.update(TrustWorld::now));
    const auto fleet = compose_fleet(follower.state()->fleet, follower.nodes(), mesh::Date{});
    REQUIRE(fleet);
    const auto own = own_config(*fleet, "gw", generate_private_key());
    REQUIRE(own);
    CHECK(own->interface == "wg0");
    REQUIRE(own->config.peers.size() == 1);
    CHECK(to_string(*own->config.peers[0].endpoint) == "192.0.2.9:51820");
    CHECK(to_string(own->config.interface.addresses.at(0)) == "10.0.0.1/16");
    CHECK_FALSE(own_config(*fleet, "nobody", generate_private_key()));
}

TEST_CASE("nobody who joins can keep a state from being applied") {
    auto gw = TrustWorld::node("gw", "10.0.0.1");
    gw.fields = R"({"endpoint":"192.0.2.1:51820"})";
    auto liar = TrustWorld::node("liar", "10.0.9.1");
    liar.fields = gw.fields;                              // another's endpoint
    auto silent = TrustWorld::node("silent", "10.0.9.2"); // these two have no path
    auto mute = TrustWorld::node("mute", "10.0.9.3");
    const trust::FleetObject object{fleet_json, {}};
    const std::vector admitted{silent, liar, mute};
    std::vector<std::string> left_out;
    const auto fleet = compose_with_admitted(object, {gw}, admitted, mesh::Date{}, left_out);
    REQUIRE(fleet);
    CHECK(left_out == std::vector<std::string>{"liar"});
    CHECK(own_config(*fleet, "gw", generate_private_key())->config.peers.size() == 2);
}

TEST_CASE("no command comes from a store") {
    TrustWorld world;
    auto record = TrustWorld::node("gw", "10.0.0.1");
    record.fields = R"({"hooks":{"post_up":["touch /tmp/x"]},"exit":"true","tags":["hub"]})";
    auto other = TrustWorld::node("web", "10.0.0.2");
    const trust::FleetObject object{fleet_json, {}};
    const std::vector records{record, other};
    const auto fleet = compose_fleet(object, records, mesh::Date{});
    REQUIRE(fleet);
    const auto own = own_config(*fleet, "gw", generate_private_key());
    REQUIRE(own);
    CHECK(own->config.interface.post_up.empty());
    CHECK(own->config.interface.pre_down.empty());
}

TEST_CASE("an inventory is split into signed parts that give the same fleet") {
    const std::string yaml = "version: 1\n"
                             "network: {name: corp, ipv4: 10.0.0.0/16, topology: hub-and-spoke}\n"
                             "defaults: {keepalive: 25, hooks: {post_up: [ls]}}\n"
                             "nodes:\n"
                             "  - {name: gw, tags: [hub], endpoint: \"gw.example.org:51820\"}\n"
                             "  - {name: phone, ssh: root@phone}\n";
    mesh::Lock lock;
    lock.networks.push_back({"corp", {}, {}});
    for (const std::string name : {"gw", "phone"}) {
        mesh::LockedNode node;
        node.name = name;
        node.key = public_key(generate_private_key());
        node.generation = 1;
        node.keyed = mesh::Date{};
        lock.networks[0].nodes.push_back(node);
    }
    const auto loaded =
        mesh::load_text(mesh::Paths::beside("nodes.yaml"), yaml, to_text(lock), mesh::Date{});
    const auto split = split_inventory(loaded);
    REQUIRE(split);
    CHECK(split->left_hooks_out);
    CHECK(split->nodes_yaml.find("hooks") == std::string::npos);
    REQUIRE(split->records.size() == 2);
    CHECK(split->records[1].fields == "{}");
    const auto fleet = compose_fleet({split->nodes_yaml, {}}, split->records, mesh::Date{});
    REQUIRE(fleet);
    REQUIRE(fleet->plans.size() == 1);
    CHECK(fleet->plans[0].peers(0).size() == 1);
    CHECK(fleet->plans[0].peers(0)[0].keepalive == 25);

    auto keyless = lock;
    keyless.networks[0].nodes[0].key.reset();
    keyless.networks[0].nodes[0].generation = 0;
    keyless.networks[0].nodes[0].keyed.reset();
    const auto refused = split_inventory(
        mesh::load_text(mesh::Paths::beside("nodes.yaml"), yaml, to_text(keyless), mesh::Date{}));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "gw has no key yet");
}

TEST_CASE("a store's URL names its members") {
    const auto members = store::parse_store_url("etcd://a,b:99,[::1],[::1]:98");
    REQUIRE(members);
    CHECK(*members
          == std::vector<std::string>{"https://a:2379", "https://b:99", "https://[::1]:2379",
                                      "https://[::1]:98"});
    CHECK(store::parse_store_url("etcd+http://a")->at(0) == "http://a:2379");
    CHECK_FALSE(store::parse_store_url("http://a"));
    CHECK_FALSE(store::parse_store_url("etcd://"));
    CHECK_FALSE(store::parse_store_url("etcd://a,,b"));
}

TEST_CASE("the range of a prefix ends behind its last key") {
    CHECK(store::wire::range_end("a/") == "a0");
    CHECK(store::wire::range_end("a\xff") == "b");
    CHECK(store::wire::range_end("\xff") == std::string(1, '\0'));
}
