#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct evp_mac_ctx_st;

namespace wgkit::crypto {

/// Keyed BLAKE2s (RFC 7693), set up once for a key and used for many messages.
/// Threads: one object per thread.
class KeyedBlake2s {
  public:
    /// A key of 1 to 32 bytes, and MACs of `size` bytes: WireGuard's mac1, mac2 and cookies are
    /// BLAKE2s of 16 bytes, which is not the longer one cut off.
    explicit KeyedBlake2s(std::span<const std::uint8_t> key, std::size_t size = 32);

    /// The MAC of the concatenated parts; `out` has the size that was asked for.
    void mac(std::span<const std::span<const std::uint8_t>> parts,
             std::span<std::uint8_t> out) const;

  private:
    std::size_t size_;
    struct Free {
        void operator()(evp_mac_ctx_st* context) const;
    };
    std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

/// The bytes of a text, e.g. a label that separates domains.
inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace wgkit::crypto
