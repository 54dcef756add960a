#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wgkit/export.hpp"
#include "wgkit/result.hpp"

namespace wgkit {

/// The version of the Internet Protocol.
enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

/// An IPv4 or IPv6 address without scope. Ordered by family, then numerically.
class WGKIT_API IpAddress {
  public:
    IpAddress() = default; ///< 0.0.0.0
    /// Shape: 4 or 16 bytes in network order.
    static IpAddress from_bytes(Family family, std::span<const std::uint8_t> bytes);
    /// Reads dotted quad (all four parts) or RFC 4291 text; no brackets, no scope, no length.
    static std::optional<IpAddress> parse(std::string_view text);

    /// The version of the Internet Protocol.
    Family family() const { return family_; }
    /// Whether it is an IPv4 address.
    bool is_v4() const { return family_ == Family::ipv4; }
    /// Length in bits: 32 or 128.
    unsigned bits() const { return is_v4() ? 32 : 128; }
    /// In network order: 4 or 16 bytes.
    std::span<const std::uint8_t> bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
    /// Whether it is 0.0.0.0 or ::.
    bool is_unspecified() const;

    auto operator<=>(const IpAddress&) const = default;

  private:
    Family family_ = Family::ipv4;
    std::array<std::uint8_t, 16> bytes_{};
};

/// An address and a length, e.g. 10.10.0.0/24. May have host bits set; `masked()` clears them.
struct WGKIT_API Prefix {
    IpAddress address;
    std::uint8_t length = 0;

    /// Reads `address/length`; without a length the whole address (/32 or /128).
    static Result<Prefix> parse(std::string_view text);
    /// The address alone: /32 or /128.
    static Prefix host(const IpAddress& address);
    /// The same with all host bits cleared.
    Prefix masked() const;
    /// Whether a bit behind the length is set.
    bool has_host_bits() const { return masked() != *this; }
    /// Whether an address, or every address of a prefix, is in it; never one of the other family.
    bool contains(const IpAddress& other) const;
    bool contains(const Prefix& other) const;

    auto operator<=>(const Prefix&) const = default;
};

/// Where a peer can be reached: host name or address, and UDP port.
struct WGKIT_API Endpoint {
    std::string host; ///< without brackets; may carry a scope (fe80::1%eth0)
    std::uint16_t port = 0;

    /// Reads `host:port`, `a.b.c.d:port` or `[v6]:port`; an IPv6 address needs its brackets.
    /// Errors: names the offending part and, for a bare IPv6 address, the bracketed form.
    static Result<Endpoint> parse(std::string_view text);

    auto operator<=>(const Endpoint&) const = default;
};

/// RFC 5952 for IPv6, dotted decimal for IPv4; a prefix with its length.
WGKIT_API std::string to_string(const IpAddress& address);
WGKIT_API std::string to_string(const Prefix& prefix);
/// Brackets IPv6 hosts.
WGKIT_API std::string to_string(const Endpoint& endpoint);

} // namespace wgkit
