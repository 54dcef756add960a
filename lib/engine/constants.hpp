#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Numbers of the protocol. Source: the WireGuard paper, sections 5 and 6; where it is silent,
/// the Linux kernel's module (noted).
namespace wgkit::engine {

using namespace std::chrono_literals;

// Section 6.1
inline constexpr std::uint64_t rekey_after_messages = std::uint64_t{1} << 60;
/// Counters from here on are never sent nor accepted: the replay window must not wrap.
inline constexpr std::uint64_t reject_after_messages = UINT64_MAX - 8192 + 63;
inline constexpr auto rekey_after_time = 120s;
inline constexpr auto reject_after_time = 180s;
inline constexpr auto rekey_attempt_time = 90s;
inline constexpr auto rekey_timeout = 5s;
inline constexpr auto keepalive_timeout = 10s;

// Kernel: timers.c
inline constexpr auto most_jitter = 333ms;
inline constexpr unsigned most_handshake_attempts = rekey_attempt_time / rekey_timeout;
/// Keys are wiped when no session was made for this long (section 6.3).
inline constexpr auto zero_keys_after = reject_after_time * 3;
/// The initiator renews early on receipt, so that the responder need not wait for it.
inline constexpr auto rekey_on_receive_after =
    reject_after_time - keepalive_timeout - rekey_timeout;

// Section 5.3 and kernel: cookie.c, noise.c, ratelimiter.c
inline constexpr auto cookie_secret_life = 120s;
inline constexpr auto cookie_life = 115s; ///< the initiator's side: less than the secret's life
inline constexpr auto least_initiation_gap = 20ms; ///< 50 a second for a peer
// Cookies given to one source in a window of source_sketch.hpp, before and after plenty were given.
inline constexpr unsigned most_cookies_each = 50;
inline constexpr unsigned fewest_cookies_each = 2;
inline constexpr std::size_t plenty_of_cookies = 10'000;
inline constexpr auto under_load_for = 1s;
inline constexpr std::size_t most_waiting_handshakes = 1024;
inline constexpr std::size_t loaded_from = most_waiting_handshakes / 8;

// Packets that wait for a session; memory is bounded in bytes too, unlike elsewhere.
inline constexpr std::size_t most_staged_packets = 128;
inline constexpr std::size_t most_staged_bytes = std::size_t{256} << 10;
inline constexpr std::size_t most_staged_bytes_of_all = std::size_t{16} << 20;

inline constexpr std::size_t most_peers = std::size_t{1} << 20; // kernel: messages.h
inline constexpr std::size_t padding_multiple = 16;
inline constexpr std::uint8_t handshake_tos = 0x88; ///< AF41, kernel: messages.h
inline constexpr std::uint16_t default_mtu = 1420;

inline constexpr std::string_view construction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
inline constexpr std::string_view identifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";
inline constexpr std::string_view label_mac1 = "mac1----";
inline constexpr std::string_view label_cookie = "cookie--";

} // namespace wgkit::engine
