#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>

#include "engine/allowed_ips.hpp"

namespace wgkit::engine {

/// What counts as one sender: an IPv4 address, or an IPv6 /64 (a customer's usual share).
/// IPv4 uses only the first 32 bits; a real IPv6 prefix never begins like a left-aligned IPv4
/// address followed by zeros, and would only share its rate.
inline AddressBits source_of(const IpAddress& from) { return AddressBits::of(from).first(64); }

/// A hash of senders under a key of its own, so that nobody can arrange for collisions.
class SourceHash {
  public:
    SourceHash() { renew(); }
    /// A new key: all hashes change.
    void renew() { crypto_shorthash_keygen(key_.data()); }

    std::uint64_t operator()(const AddressBits& source) const noexcept {
        std::uint64_t hash = 0;
        static_assert(sizeof hash == crypto_shorthash_BYTES);
        crypto_shorthash(reinterpret_cast<std::uint8_t*>(&hash),
                         reinterpret_cast<const std::uint8_t*>(&source.high), sizeof source.high,
                         key_.data());
        return hash;
    }

  private:
    std::array<std::uint8_t, crypto_shorthash_KEYBYTES> key_{};
};

} // namespace wgkit::engine
