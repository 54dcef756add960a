#include "support/catch.hpp"
#include "support/trust_world.hpp"
#include "trust/token.hpp"

using namespace wgkit;
using namespace wgkit::trust;
using test::TrustWorld;

namespace {

bool says(const Error& error, std::string_view text) {
    INFO(error.message);
    return error.message.find(text) != std::string::npos;
}

/// What is said of a snapshot that must not be believed.
std::string refusal(const TrustWorld& world, const std::string& envelope, Position last = {},
                    Seconds now = TrustWorld::now) {
    const auto accepted = accept_snapshot(world.root, last, envelope, now);
    return accepted ? "accepted" : accepted.error().message;
}

std::string refusal(TrustWorld& world, const StoredAdmission& stored,
                    Seconds now = TrustWorld::now) {
    const auto admitted = admit(world.state(), {&stored, 1}, now);
    return admitted.refused.empty() ? "admitted" : admitted.refused.front().error.message;
}

} // namespace

TEST_CASE("signed bytes are DSSE's") {
    // The example of DSSE's protocol.md.
    CHECK(signed_bytes("http://example.com/HelloWorld", "hello world")
          == "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

TEST_CASE("Ed25519 agrees with RFC 8032") {
    // Section 7.1, test 1: the empty message.
    const auto bytes = [](std::string_view hex) {
        std::string out;
        for (std::size_t i = 0; i < hex.size(); i += 2)
            out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
        return out;
    };
    const std::string seed =
        bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    std::array<std::uint8_t, 32> raw{};
    std::copy(seed.begin(), seed.end(), raw.begin());
    const Signature signature = sign(SigningKey(raw), "");
    CHECK(std::string(signature.begin(), signature.end())
          == bytes("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                   "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"));
}

TEST_CASE("an envelope survives being written and read") {
    const TrustWorld world;
    const auto read = parse_envelope(world.signed_snapshot());
    REQUIRE(read);
    CHECK(signers(*read, world.root.keys) == 1);
    CHECK(to_text(*read) == world.signed_snapshot());
}

TEST_CASE("what is no envelope is refused") {
    for (const std::string text :
         {"", "[]", "{", R"({"payloadType":"a","payload":"!","signatures":[]})",
          R"({"payloadType":1,"payload":"","signatures":[]})",
          R"({"payloadType":"a","payload":"","signatures":[{"sig":"AAAA"}]})",
          R"({"payloadType":"a","payload":"","signatures":[7]})"})
        CHECK_FALSE(parse_envelope(text));
}

TEST_CASE("one key counts once, however often it signs or is listed") {
    const TrustWorld world;
    const std::array keys{&world.op, &world.op};
    const auto envelope = seal_document("t", "p", keys);
    CHECK(signers(envelope, world.root.keys) == 1);
    const std::vector<VerifyKey> twice{world.root.keys[0], world.root.keys[0]};
    CHECK(signers(envelope, twice) == 1);
}

TEST_CASE("a state that an operator signed is believed") {
    const TrustWorld world;
    const auto state = world.state();
    CHECK(state.snapshot.revision == 1);
    REQUIRE(state.find("gw") != nullptr);
    CHECK(state.delegations.size() == 1);
}

TEST_CASE("a forged state is refused") {
    const TrustWorld world;
    CHECK(refusal(world,
                  TrustWorld::envelope(type::snapshot, to_json(world.snapshot), {&world.other}))
          == "snapshot: 0 of 1 signatures that it needs are there");
    auto changed = *parse_envelope(world.signed_snapshot());
    changed.payload.insert(changed.payload.size() - 1, " ");
    CHECK(refusal(world, to_text(changed)).starts_with("snapshot: 0 of 1"));
    // A join key's signature is not an operator's.
    CHECK(
        refusal(world, TrustWorld::envelope(type::snapshot, to_json(world.snapshot), {&world.join}))
            .starts_with("snapshot: 0 of 1"));
}

TEST_CASE("a signature over one kind of document is worth nothing for another") {
    const TrustWorld world;
    auto envelope =
        *parse_envelope(TrustWorld::envelope(type::hint, to_json(world.snapshot), {&world.op}));
    CHECK(refusal(world, to_text(envelope)).starts_with("a document of another kind"));
    envelope.type = type::snapshot;
    CHECK(refusal(world, to_text(envelope)).starts_with("snapshot: 0 of 1"));
}

TEST_CASE("an older state is refused, the same one is not") {
    TrustWorld world;
    world.snapshot.revision = 7;
    const auto envelope = world.signed_snapshot();
    const std::string hash = hash_of(to_json(world.snapshot));
    CHECK(refusal(world, envelope, {8, ""}) == "an older state: revision 7 after 8");
    CHECK(refusal(world, envelope, {7, hash}) == "accepted");
    CHECK(refusal(world, envelope, {5, std::string(64, 'a')}) == "accepted");
}

TEST_CASE("a fork is refused") {
    TrustWorld world;
    world.snapshot.revision = 7;
    CHECK(refusal(world, world.signed_snapshot(), {7, std::string(64, 'a')})
          == "revision 7 does not follow the state that is known");
    world.snapshot.previous = std::string(64, 'b');
    CHECK(refusal(world, world.signed_snapshot(), {6, std::string(64, 'a')})
          == "revision 7 does not follow the state that is known");
    CHECK(refusal(world, world.signed_snapshot(), {6, std::string(64, 'b')}) == "accepted");
}

TEST_CASE("an expired state is refused, also under an expired root") {
    TrustWorld world;
    CHECK(refusal(world, world.signed_snapshot(), {}, world.snapshot.expires)
          == "revision 1 has expired");
    CHECK(refusal(world, world.signed_snapshot(), {}, world.snapshot.expires - 1) == "accepted");
    world.root.expires = TrustWorld::now;
    CHECK(refusal(world, world.signed_snapshot()) == "revision 1 has expired");
}

TEST_CASE("a clock that was set back makes nothing fresh") {
    CHECK(trusted_time(0, 500) == 500);
    CHECK(trusted_time(600, 500) == 600);
}

TEST_CASE("another network's state is refused") {
    TrustWorld world;
    world.snapshot.network = "lab";
    CHECK(refusal(world, world.signed_snapshot()) == "signed for network 'lab', not for 'corp'");
}

TEST_CASE("a state under a root that is not the current one is refused") {
    TrustWorld world;
    world.snapshot.root = 2;
    CHECK(refusal(world, world.signed_snapshot())
          == "snapshot 1 is signed under root 2, root 1 is known");
}

TEST_CASE("objects that are missing, changed or mixed are noticed") {
    TrustWorld world;
    const auto gathered = [&] {
        auto verified = accept_snapshot(world.root, {}, world.signed_snapshot(), TrustWorld::now);
        return gather(*std::move(verified), world.find());
    };
    SECTION("missing") {
        world.objects.erase(world.snapshot.fleet);
        CHECK(gathered().error().code == Errc::not_found);
    }
    SECTION("changed") {
        world.objects[world.snapshot.index[0]] += " ";
        CHECK(says(gathered().error(), "not what its hash says"));
    }
    SECTION("another kind of object under a good hash") {
        world.snapshot.index = {world.snapshot.fleet};
        CHECK(gathered().error().code == Errc::invalid);
    }
    SECTION("a node twice") {
        world.snapshot.index.push_back(world.put_index({TrustWorld::node("gw", "10.0.0.2")}));
        CHECK(says(gathered().error(), "gw is listed twice"));
    }
    SECTION("a record under another's name") {
        IndexObject index;
        index.records.emplace_back("x", world.put(to_json(TrustWorld::node("y", "10.0.0.3"))));
        world.snapshot.index = {world.put(to_json(index))};
        CHECK(says(gathered().error(), "names another"));
    }
    SECTION("a revoked key in use") {
        world.snapshot.revoked = {to_string(world.state().records[0].key)};
        CHECK(says(gathered().error(), "gw has a revoked key"));
    }
}

TEST_CASE("a record is below 1 KB and has a DNS label for its name") {
    auto record = TrustWorld::node("a", "10.0.0.1");
    CHECK(parse_record(to_json(record)));
    record.fields = R"({"x":")" + std::string(1024, 'x') + R"("})";
    CHECK(says(parse_record(to_json(record)).error(), "larger than 1024 bytes"));
    record.fields = "{}";
    record.name = "../a";
    CHECK(says(parse_record(to_json(record)).error(), "not a DNS label"));
}

TEST_CASE("operators change by the threshold of the root before and of their own") {
    TrustWorld world;
    Root next = world.root;
    next.version = 2;
    next.keys = {verify_key(world.op), verify_key(world.other)};
    next.threshold = 2;
    const auto with = [&](std::vector<const SigningKey*> keys) {
        return next_root(world.root, TrustWorld::envelope(type::root, to_json(next), keys));
    };
    CHECK(with({&world.op, &world.other}));
    CHECK(says(with({&world.other}).error(), "by the one before: 0 of 1"));
    CHECK(says(with({&world.op}).error(), "by itself: 1 of 2"));
    CHECK(says(with({&world.op, &world.op}).error(), "by itself: 1 of 2"));
    next.version = 3;
    CHECK(says(with({&world.op, &world.other}).error(), "root 3 does not follow root 1"));
}

TEST_CASE("a lost operator key is replaced by recovery") {
    const TrustWorld world;
    Root next = world.root;
    next.version = 2;
    next.keys = {verify_key(world.other)};
    const auto root = next_root(world.root, TrustWorld::envelope(type::root, to_json(next),
                                                                 {&world.recovery, &world.other}));
    REQUIRE(root);
    CHECK(root->keys == next.keys);
    // Recovery signs roots, not states.
    CHECK(refusal(world,
                  TrustWorld::envelope(type::snapshot, to_json(world.snapshot), {&world.recovery}))
              .starts_with("snapshot: 0 of 1"));
}

TEST_CASE("the first root is the one that the token names") {
    const TrustWorld world;
    const std::string json = to_json(world.root);
    const auto text = TrustWorld::envelope(type::root, json, {&world.op});
    CHECK(first_root(text, "corp", hash_of(json)));
    CHECK(says(first_root(text, "corp", std::string(64, '0')).error(), "join token"));
    CHECK(says(first_root(text, "lab", hash_of(json)).error(), "network"));
    const auto unsigned_text = TrustWorld::envelope(type::root, json, {});
    CHECK(says(first_root(unsigned_text, "corp", hash_of(json)).error(), "0 of 1"));
}

TEST_CASE("a node within the bounds of its join key is admitted, with the key's tags") {
    TrustWorld world;
    const auto stored = world.admission("web1", "10.0.9.7");
    const auto admitted = admit(world.state(), {&stored, 1}, TrustWorld::now);
    REQUIRE(admitted.records.size() == 1);
    CHECK(admitted.records[0].fields == R"({"endpoint":"192.0.2.9:51820","tags":["edge"]})");
}

TEST_CASE("a node out of the bounds of its join key is refused") {
    TrustWorld world;
    const auto with = [&](auto change) {
        return refusal(world, world.admission("web1", "10.0.9.7", change));
    };
    CHECK(with([&](Admission&, const SigningKey*& key) { key = &world.other; })
          == "web1: not signed by its join key");
    CHECK(with([&](Admission& it, const SigningKey*& key) {
              it.delegation = verify_key(world.other);
              key = &world.other;
          })
          == "web1: its join key is unknown or revoked");
    CHECK(with([](Admission& it, auto&) { it.network = "lab"; }) == "web1: another network");
    CHECK(with([](Admission& it, auto&) { it.record.ipv4 = IpAddress::parse("10.0.8.7"); })
          == "web1: its address is outside of the join key's pool");
    CHECK(with([](Admission& it, auto&) { it.record.ipv6 = IpAddress::parse("fd00::1"); })
          == "web1: its address is outside of the join key's pool");
    CHECK(with([](Admission& it, auto&) { it.record.ipv4.reset(); }) == "web1: it has no address");
    for (const std::string field : {"routes", "tags", "relay", "exit", "hooks", "networks"})
        CHECK(with([&](Admission& it, auto&) {
                  it.record.fields = R"({")" + field + R"(":["10.0.0.0/8"]})";
              })
              == "web1: a join key cannot set '" + field + "'");
    CHECK(with([](Admission& it, auto&) { it.record.fields = R"({"endpoint":"x"})"; })
          == "web1: its endpoint is no host:port");
    auto renamed = world.admission("web1", "10.0.9.7");
    renamed.name = "web2";
    CHECK(refusal(world, renamed) == "web1: stored under another name");
    CHECK(refusal(world, world.admission("web1", "10.0.9.7"), world.delegation.expires)
          == "web1: its join key has expired before an operator approved the node");
}

TEST_CASE("names, keys and addresses that are taken are refused") {
    TrustWorld world;
    const auto gw = world.state().records[0];
    CHECK(refusal(world, world.admission("gw", "10.0.9.7")) == "gw: the name is taken");
    CHECK(refusal(world, world.admission("web1", "10.0.9.7",
                                         [&](Admission& it, auto&) { it.record.key = gw.key; }))
          == "web1: another node has its key");
    const std::vector both{world.admission("web1", "10.0.9.7"),
                           world.admission("web2", "10.0.9.7")};
    const auto admitted = admit(world.state(), both, TrustWorld::now);
    REQUIRE(admitted.records.size() == 1);
    CHECK(admitted.records[0].name == "web1");
    CHECK(admitted.refused.at(0).error.message == "web2: another node has its address");
}

TEST_CASE("a join key admits as many nodes as it may, and a bad one keeps no other out") {
    TrustWorld world;
    const std::vector stored{
        world.admission("bad", "10.0.8.1"), world.admission("web1", "10.0.9.1"),
        world.admission("web2", "10.0.9.2"), world.admission("web3", "10.0.9.3")};
    const auto admitted = admit(world.state(), stored, TrustWorld::now);
    CHECK(admitted.records.size() == 2);
    REQUIRE(admitted.refused.size() == 2);
    CHECK(admitted.refused[1].error.message == "web3: its join key was used as often as it may be");
}

TEST_CASE("a revoked key is not admitted again") {
    TrustWorld world;
    auto stored = world.admission("web1", "10.0.9.1");
    const auto record = admit(world.state(), {&stored, 1}, TrustWorld::now).records.at(0);
    world.snapshot.revoked = {to_string(record.key)};
    CHECK(refusal(world, stored) == "web1: its key is revoked");
    world.snapshot.revoked = {to_string(*record.agent)};
    CHECK(refusal(world, stored) == "web1: its key is revoked");
}

TEST_CASE("possession of a WireGuard key is shown, and cannot be copied") {
    TrustWorld world;
    const auto stored = world.admission("web1", "10.0.9.1");
    const auto admission = *check_admission(world.state(), stored, TrustWorld::now);
    CHECK(shows_possession(admission, world.delegation, world.enrolment));
    auto other = admission;
    other.record.name = "web2";
    CHECK_FALSE(shows_possession(other, world.delegation, world.enrolment));
    other = admission;
    other.record.key = public_key(generate_private_key());
    CHECK_FALSE(shows_possession(other, world.delegation, world.enrolment));
    other = admission;
    other.mac = "AAAA";
    CHECK_FALSE(shows_possession(other, world.delegation, world.enrolment));
    CHECK_FALSE(shows_possession(admission, world.delegation, generate_private_key()));
    auto weak = world.delegation;
    weak.enrolment = {}; // a point of low order
    CHECK_FALSE(possession_mac(admission, weak, generate_private_key()));
}

TEST_CASE("a sealed secret is only for its key") {
    const PrivateKey key = generate_private_key();
    const std::string sealed = seal_secret("pass", public_key(key));
    CHECK(*open_secret(sealed, key) == "pass");
    CHECK_FALSE(open_secret(sealed, generate_private_key()));
    CHECK_FALSE(open_secret(sealed.substr(1), key));
    CHECK_FALSE(open_secret("", key));
}

TEST_CASE("a node speaks for itself alone") {
    TrustWorld world;
    const SigningKey agent = generate_signing_key();
    auto record = world.state().records[0];
    record.agent = verify_key(agent);
    const auto hint = [&](const std::string& network, const std::string& node,
                          const SigningKey& key) {
        return check_hint(
            world.state(), record,
            TrustWorld::envelope(type::hint, to_json(Hint{network, node, "", 1, 2, "applied", ""}),
                                 {&key}));
    };
    CHECK(hint("corp", "gw", agent));
    CHECK(says(hint("corp", "gw", world.other).error(), "signatures"));
    CHECK(says(hint("corp", "db", agent).error(), "gw speaks for db"));
    CHECK(says(hint("lab", "gw", agent).error(), "network"));
}

TEST_CASE("the log of deeds is a chain") {
    const TrustWorld world;
    const auto entry = [&](std::uint64_t number, const std::string& previous,
                           const SigningKey& key) {
        return TrustWorld::envelope(
            type::audit, to_json(AuditEntry{"corp", number, previous, 5, "revoke", "x", ""}),
            {&key});
    };
    const auto first = entry(1, "", world.op);
    CHECK(check_audit(world.root, 0, "", first));
    const std::string hash = hash_of(parse_envelope(first)->payload);
    CHECK(check_audit(world.root, 1, hash, entry(2, hash, world.op)));
    CHECK_FALSE(check_audit(world.root, 1, hash, entry(3, hash, world.op)));
    CHECK_FALSE(check_audit(world.root, 1, hash, entry(2, std::string(64, 'a'), world.op)));
    CHECK_FALSE(check_audit(world.root, 1, hash, entry(2, hash, world.other)));
}

TEST_CASE("a join token survives being written and read") {
    const TrustWorld world;
    const JoinToken token{"corp", std::string(64, 'a'), {"http://127.0.0.1:2379"}, "",
                          "u",    SecretString("p"),    world.join.clone(),        12};
    const auto text = to_text(token);
    CHECK(text.find('\n') == text.npos);
    const auto read = parse_token(text);
    REQUIRE(read);
    CHECK(read->minimum_revision == 12);
    CHECK(verify_key(read->key) == world.delegation.key);
    CHECK_FALSE(parse_token("wgkit-join-1.AAAA"));
    CHECK_FALSE(parse_token(std::string_view(text).substr(1)));
}
