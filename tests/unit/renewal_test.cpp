#include "support/catch.hpp"
#include "support/trust_world.hpp"

using namespace wgkit;
using namespace wgkit::trust;
using test::TrustWorld;

namespace {

/// Two nodes with agents, and an operator who asks them for new keys.
struct Changing : TrustWorld {
    PrivateKey asking = generate_private_key();
    Rotation rotation;
    struct Node {
        SigningKey agent = generate_signing_key();
        PrivateKey next = generate_private_key();
        NodeRecord record;
    };
    Node a, b;

    Changing() {
        a.record = node("a", "10.0.0.2");
        b.record = node("b", "10.0.0.3");
        for (auto* one : {&a, &b}) one->record.agent = verify_key(one->agent);
        rotation = {std::string(32, 'c'), public_key(asking), {"a", "b"}, {"a", "b"}, false, {}};
    }
    Renewal renewal(const Node& node) const {
        Renewal it{"corp",
                   node.record.name,
                   rotation.id,
                   node.record.key,
                   public_key(node.next),
                   public_key(generate_private_key()),
                   51920,
                   {}};
        it.mac = *possession_mac(it, rotation, node.next);
        return it;
    }
    static std::string text(const Renewal& renewal, const SigningKey& key) {
        return envelope(type::renewal, to_json(renewal), {&key});
    }
    Result<Renewal> judge(const Renewal& renewal, const Node& node) const {
        return check_renewal("corp", rotation, node.record, text(renewal, node.agent));
    }
    Result<trust::State> gathered(const std::vector<std::string>& envelopes) {
        snapshot.index = {put_index({a.record, b.record})};
        rotation.renewals.clear();
        for (const auto& one : envelopes) rotation.renewals.push_back(put(one));
        snapshot.rotation = put(to_json(rotation));
        return gather(*accept_snapshot(root, {}, signed_snapshot(), now), find());
    }
};

} // namespace

TEST_CASE("a node renews its own key, and nothing else") {
    Changing world;
    const auto good = world.renewal(world.a);
    REQUIRE(world.judge(good, world.a));
    CHECK(shows_possession(good, world.rotation, world.asking));

    CHECK(world.judge(good, world.b).error().code == Errc::conflict); // b signs for a
    CHECK(check_renewal("corp", world.rotation, world.a.record, Changing::text(good, world.b.agent))
              .error()
              .code
          == Errc::invalid);
    CHECK(check_renewal("corp", world.rotation, world.a.record,
                        TrustWorld::envelope(type::hint, to_json(good), {&world.a.agent}))
              .error()
              .code
          == Errc::invalid);
    const auto worse = [&](auto&& change) {
        auto bad = good;
        change(bad);
        return !world.judge(bad, world.a);
    };
    CHECK(worse([](auto& it) { it.network = "other"; }));
    CHECK(worse([](auto& it) { it.node = "b"; }));
    CHECK(worse([](auto& it) { it.rotation = std::string(32, 'd'); }));
    CHECK(worse([&](auto& it) { it.current = world.b.record.key; }));
    CHECK(worse([](auto& it) { it.next = it.current; }));
    CHECK(worse([](auto& it) { it.second_port = 65536; }));
    world.rotation.taking_part = {"b"};
    CHECK_FALSE(world.judge(good, world.a));
}

TEST_CASE("who keeps his key offers the same again") {
    Changing world;
    world.rotation.rotating = {"b"};
    CHECK_FALSE(world.judge(world.renewal(world.a), world.a));
    auto same = world.renewal(world.a);
    same.next = same.current;
    CHECK(world.judge(same, world.a));
}

TEST_CASE("a new key without the private half, or for another rotation, shows nothing") {
    Changing world;
    auto renewal = world.renewal(world.a);
    CHECK_FALSE(shows_possession(renewal, world.rotation, world.a.next));
    auto foreign = renewal;
    foreign.next = world.renewal(world.b).next;
    foreign.mac = *possession_mac(foreign, world.rotation, world.a.next);
    CHECK_FALSE(shows_possession(foreign, world.rotation, world.asking));
    auto other = world.rotation;
    other.id = std::string(32, 'd');
    CHECK_FALSE(shows_possession(renewal, other, world.asking));
    renewal.second_port = 1;
    CHECK_FALSE(shows_possession(renewal, world.rotation, world.asking));
}

TEST_CASE("new keys are believed as a whole, and no key belongs to two") {
    Changing world;
    const auto a = world.renewal(world.a);
    const auto b = world.renewal(world.b);
    const auto text_a = Changing::text(a, world.a.agent);
    const auto text_b = Changing::text(b, world.b.agent);
    CHECK(world.gathered({})->rotation);
    CHECK(world.gathered({text_a, text_b})->renewals.size() == 2);
    CHECK_FALSE(world.gathered({text_a}));
    CHECK_FALSE(world.gathered({text_a, text_b, text_a}));
    CHECK_FALSE(world.gathered({text_a, Changing::text(b, world.a.agent)}));

    auto thief = b;
    for (const auto& taken : {a.next, a.second, world.a.record.key, world.b.record.key}) {
        thief.second = taken;
        CHECK_FALSE(world.gathered({text_a, Changing::text(thief, world.b.agent)}));
    }
    world.snapshot.revoked = {to_string(b.next)};
    CHECK_FALSE(world.gathered({text_a, text_b}));
    world.snapshot.revoked.clear();
    world.rotation.taking_part.emplace_back("nobody");
    CHECK_FALSE(world.gathered({}));
}
