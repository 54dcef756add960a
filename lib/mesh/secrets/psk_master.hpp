#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crypto/blake2s.hpp"
#include "wgkit/keys.hpp"

namespace wgkit::mesh {

/// The one secret that every pair's preshared key is derived from, so that none is stored.
///
/// master_(e+1) = BLAKE2s(key = master_e, "ratchet"); whoever learns a master knows it and all
/// later ones, not earlier ones, until a reseed starts from fresh randomness. As text: a line
/// `EPOCH BASE64` for the oldest epoch in use and one for each reseed after it.
class PskMaster {
  public:
    static PskMaster generate(std::uint32_t epoch = 1);
    /// Errors: names the line, never its content.
    static Result<PskMaster> parse(std::string_view text, const std::string& file);
    SecretString to_text() const;

    std::uint32_t first_epoch() const { return seeds_.begin()->first; }
    /// Errors: Errc::not_found for an epoch before the first: its master is erased.
    Result<PresharedKey> master(std::uint32_t epoch) const;
    /// 16 hexadecimal digits that tell masters apart and reveal nothing: BLAKE2s(key = master of
    /// the epoch, "wgkit psk check v1"). Errors: as `master`.
    Result<std::string> check(std::uint32_t epoch) const;
    /// Fresh randomness from this epoch on; for use after a leak.
    void reseed(std::uint32_t epoch);
    /// Erases what only epochs before this one need.
    void forget_before(std::uint32_t epoch);

  private:
    std::map<std::uint32_t, PresharedKey> seeds_;
};

/// Derives the pairs' keys of one network. Threads: one object per thread.
class PairKeys {
  public:
    PairKeys(const PskMaster& master, std::string network);

    /// BLAKE2s(key = master of the epoch, "wgkit psk v1", network, the two public keys sorted):
    /// the same for both ends, whoever asks. Errors: as PskMaster::master.
    Result<PresharedKey> derive(std::uint32_t epoch, const PublicKey& a, const PublicKey& b);

  private:
    const PskMaster& master_;
    std::string network_;
    std::map<std::uint32_t, crypto::KeyedBlake2s> by_epoch_;
};

} // namespace wgkit::mesh
