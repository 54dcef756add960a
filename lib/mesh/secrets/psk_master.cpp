#include "mesh/secrets/psk_master.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/sha256.hpp"
#include "util/ascii.hpp"

namespace wgkit::mesh {

namespace {

constexpr std::string_view pair_label = "wgkit psk v1";
constexpr std::string_view ratchet_label = "ratchet";
constexpr std::string_view check_label = "wgkit psk check v1";

using Parts = std::span<const std::span<const std::uint8_t>>;

PresharedKey keyed(const crypto::KeyedBlake2s& hash, Parts parts) {
    std::array<std::uint8_t, key_bytes> bytes{};
    hash.mac(parts, bytes);
    PresharedKey key(bytes);
    wipe(bytes.data(), bytes.size());
    return key;
}

PresharedKey ratchet(const PresharedKey& master) {
    const std::array parts{crypto::bytes_of(ratchet_label)};
    return keyed(crypto::KeyedBlake2s(master.reveal()), parts);
}

} // namespace

PskMaster PskMaster::generate(std::uint32_t epoch) {
    PskMaster master;
    master.reseed(epoch);
    return master;
}

Result<PskMaster> PskMaster::parse(std::string_view text, const std::string& file) {
    PskMaster master;
    std::size_t number = 0;
    for (const auto raw : ascii::split(text, '\n')) {
        ++number;
        const auto line = ascii::trim(raw);
        if (line.empty() || line.starts_with('#')) continue;
        const auto space = line.find(' ');
        const auto epoch = ascii::to_number(line.substr(0, space), 0xFFFFFFFF);
        auto key = parse_preshared_key(space == line.npos ? "" : ascii::trim(line.substr(space)));
        if (!epoch || *epoch == 0 || !key
            || !master.seeds_.emplace(static_cast<std::uint32_t>(*epoch), std::move(*key)).second)
            return Error{Errc::invalid,
                         fmt::format("{}:{}:1: not `EPOCH BASE64` with a new epoch", file, number),
                         "restore the file from a backup, or reseed with `wgkit mesh rekey --psk "
                         "--reseed`"};
    }
    if (master.seeds_.empty())
        return Error{Errc::invalid, fmt::format("{} holds no PSK master", file), {}};
    return master;
}

SecretString PskMaster::to_text() const {
    SecretString text;
    for (const auto& [epoch, seed] : seeds_) {
        text += std::to_string(epoch);
        text += ' ';
        text += reveal_base64(seed);
        text += '\n';
    }
    return text;
}

Result<PresharedKey> PskMaster::master(std::uint32_t epoch) const {
    auto after = seeds_.upper_bound(epoch);
    if (after == seeds_.begin())
        return Error{Errc::not_found,
                     fmt::format("the PSK master of epoch {} is erased; the oldest kept is {}",
                                 epoch, first_epoch()),
                     {}};
    const auto& [from, seed] = *std::prev(after);
    PresharedKey key = seed.clone();
    for (auto e = from; e < epoch; ++e) key = ratchet(key);
    return key;
}

Result<std::string> PskMaster::check(std::uint32_t epoch) const {
    const auto key = master(epoch);
    if (!key) return key.error();
    const std::array parts{crypto::bytes_of(check_label)};
    std::array<std::uint8_t, key_bytes> bytes{};
    crypto::KeyedBlake2s(key->reveal()).mac(parts, bytes);
    return crypto::to_hex(bytes).substr(0, 16);
}

void PskMaster::reseed(std::uint32_t epoch) {
    seeds_.erase(seeds_.lower_bound(epoch), seeds_.end());
    seeds_.emplace(epoch, generate_preshared_key());
}

void PskMaster::forget_before(std::uint32_t epoch) {
    if (epoch <= first_epoch()) return;
    auto oldest = master(epoch);
    seeds_.erase(seeds_.begin(), seeds_.upper_bound(epoch));
    seeds_.emplace(epoch, std::move(*oldest));
}

PairKeys::PairKeys(const PskMaster& master, std::string network)
    : master_(master), network_(std::move(network)) {}

Result<PresharedKey> PairKeys::derive(std::uint32_t epoch, const PublicKey& a, const PublicKey& b) {
    auto hash = by_epoch_.find(epoch);
    if (hash == by_epoch_.end()) {
        auto key = master_.master(epoch);
        if (!key) return std::move(key).error();
        hash = by_epoch_.emplace(epoch, crypto::KeyedBlake2s(key->reveal())).first;
    }
    const auto& [low, high] = std::minmax(a, b);
    const std::array<std::span<const std::uint8_t>, 4> parts{
        crypto::bytes_of(pair_label), crypto::bytes_of(network_), low.bytes, high.bytes};
    return keyed(hash->second, parts);
}

} // namespace wgkit::mesh
