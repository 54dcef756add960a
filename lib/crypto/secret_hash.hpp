#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "wgkit/secret.hpp"

namespace wgkit::crypto {

/// 32 secret bytes (a chaining key, a derived key): wiped when destroyed or moved from. A copy is
/// made only by clone().
struct SecretHash {
    SecretHash() = default;
    explicit SecretHash(std::span<const std::uint8_t, 32> bytes) { assign(bytes); }
    ~SecretHash() { wipe(bytes_.data(), bytes_.size()); }

    SecretHash(const SecretHash&) = delete;
    SecretHash& operator=(const SecretHash&) = delete;
    SecretHash(SecretHash&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
    SecretHash& operator=(SecretHash&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            other.clear();
        }
        return *this;
    }

    [[nodiscard]] SecretHash clone() const { return SecretHash(bytes()); }
    void assign(std::span<const std::uint8_t, 32> bytes) {
        for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = bytes[i];
    }
    void clear() noexcept { wipe(bytes_.data(), bytes_.size()); }

    [[nodiscard]] std::span<const std::uint8_t, 32> bytes() const { return bytes_; }
    [[nodiscard]] std::span<std::uint8_t, 32> bytes() { return bytes_; }

  private:
    std::array<std::uint8_t, 32> bytes_{};
};

} // namespace wgkit::crypto
