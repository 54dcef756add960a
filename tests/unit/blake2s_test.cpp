#include "crypto/blake2s.hpp"

#include <utility>

#include "support/catch.hpp"
#include "support/vectors.hpp"

using namespace wgkit::crypto;
using namespace wgkit::test;

namespace {

Bytes prefix(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}

Bytes mac(const KeyedBlake2s& hash, std::span<const std::uint8_t> text, std::size_t size) {
    Bytes out(size);
    const std::array parts{text};
    hash.mac(parts, out);
    return out;
}

} // namespace

TEST_CASE("keyed BLAKE2s with long and short keys and MACs is what Python has") {
    const auto rows = vectors("blake2s/vectors.json").at("mac");
    REQUIRE(rows.size() == 78);
    for (const auto& row : rows) {
        const Bytes key = field(row, "key"), expected = field(row, "mac");
        const Bytes text = prefix(row.at("message"));
        const KeyedBlake2s hash(key, expected.size());
        INFO(row);
        CHECK(mac(hash, text, expected.size()) == expected);
        CHECK(mac(hash, prefix(7), expected.size()) != expected);
        CHECK(mac(hash, text, expected.size()) == expected); // nothing of the last message stays
    }
}

TEST_CASE("a MAC of 16 bytes is not a longer one cut off") {
    const Bytes key = prefix(32), text = prefix(116);
    const Bytes whole = mac(KeyedBlake2s(key), text, 32);
    CHECK(mac(KeyedBlake2s(key, 16), text, 16) != Bytes(whole.begin(), whole.begin() + 16));
}

TEST_CASE("the parts of a message are joined") {
    const Bytes key = prefix(16), text = prefix(100);
    const KeyedBlake2s hash(key, 16);
    const std::span all(text);
    const std::array<std::span<const std::uint8_t>, 3> parts{all.first(33), {}, all.subspan(33)};
    Bytes out(16);
    hash.mac(parts, out);
    CHECK(out == mac(hash, text, 16));
}

TEST_CASE("a MAC of another size than was set up is a bug") {
    const KeyedBlake2s hash(prefix(32), 16);
    Bytes out(32);
    CHECK_THROWS(hash.mac({}, out));
}

TEST_CASE("a keyed hash can be moved") {
    const Bytes key = prefix(32), text = prefix(10);
    KeyedBlake2s first(key, 16);
    const Bytes expected = mac(first, text, 16);
    const KeyedBlake2s second(std::move(first));
    CHECK(mac(second, text, 16) == expected);
}
