#include "mesh/secrets/psk_master.hpp"
#include "support/catch.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

namespace {

const std::string master_text = "1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

PskMaster a_master() { return *PskMaster::parse(master_text, "psk-master"); }

PublicKey key_with(std::uint8_t byte) {
    PublicKey key;
    key.bytes.fill(byte);
    return key;
}

std::string shown(const Result<PresharedKey>& key) { return std::string(reveal_base64(*key)); }

} // namespace

// Expected values: Python's hashlib.blake2s(data, key=..., digest_size=32).
TEST_CASE("pair keys are keyed BLAKE2s of label, network and sorted public keys") {
    const auto master = a_master();
    PairKeys keys(master, "prod");
    CHECK(shown(keys.derive(1, key_with(1), key_with(2)))
          == "ZW2xemJWLrRn2S65tDUMTBypa87VpVhHrPhyDAl3d28=");
    CHECK(shown(keys.derive(3, key_with(1), key_with(2)))
          == "cQmGtSMd33SQUjcH7ZJKT9rjAk7d7M3TSt0jQSDhxmQ=");
}

TEST_CASE("pair keys do not depend on the order of asking and differ in everything else") {
    const auto master = a_master();
    PairKeys prod(master, "prod");
    PairKeys test(master, "test");
    const auto ab = shown(prod.derive(1, key_with(1), key_with(2)));
    CHECK(shown(prod.derive(1, key_with(2), key_with(1))) == ab);
    CHECK(shown(prod.derive(1, key_with(1), key_with(3))) != ab);
    CHECK(shown(prod.derive(2, key_with(1), key_with(2))) != ab);
    CHECK(shown(test.derive(1, key_with(1), key_with(2))) != ab);
}

TEST_CASE("the ratchet goes forward only: what is forgotten cannot be derived again") {
    auto master = a_master();
    const auto third = shown(master.master(3));
    master.forget_before(3);
    CHECK(master.first_epoch() == 3);
    CHECK(shown(master.master(3)) == third);
    CHECK(master.master(2).error().code == Errc::not_found);
    CHECK(std::string(master.to_text()).find("MDEyMzQ1") == std::string::npos);
}

TEST_CASE("a reseed cuts the chain and keeps the epochs before it") {
    auto master = a_master();
    const auto second = shown(master.master(2));
    const auto third = shown(master.master(3));
    master.reseed(3);
    CHECK(shown(master.master(2)) == second);
    CHECK(shown(master.master(3)) != third);
    const auto again = PskMaster::parse(std::string(master.to_text()), "again");
    REQUIRE(again);
    CHECK(shown(again->master(3)) == shown(master.master(3)));
}

TEST_CASE("a check tells masters apart, also after those before it are forgotten") {
    auto master = a_master();
    CHECK(*master.check(1) == "4527f89577aa13df");
    CHECK(*master.check(3) == "d9ddc5c6f45c4e6d");
    master.forget_before(3);
    CHECK(*master.check(3) == "d9ddc5c6f45c4e6d");
    CHECK_FALSE(master.check(2));
    CHECK(*PskMaster::generate().check(1) != "4527f89577aa13df");
}

TEST_CASE("a broken master is refused with its line and without its content") {
    for (const char* bad : {"", "1\n", "1 x\n", "0 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n",
                            "x MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"})
        CHECK_FALSE(PskMaster::parse(bad, "f"));
    const auto twice = PskMaster::parse(master_text + master_text, "f");
    REQUIRE_FALSE(twice);
    CHECK(twice.error().message.find("f:2:1") != std::string::npos);
    CHECK(twice.error().message.find("MDEy") == std::string::npos);
}
