#include "engine/cookie.hpp"

#include <sodium.h>

#include <algorithm>

#include "engine/constants.hpp"

namespace wgkit::engine {

namespace {

// HASH(label || public key)
crypto::Hash labelled(std::string_view label, const PublicKey& key) {
    return crypto::blake2s({crypto::bytes_of(label), key.bytes});
}

// Both macs end the message.
Bytes before_mac1(Bytes message) { return message.first(message.size() - 2 * mac_bytes); }
Bytes before_mac2(Bytes message) { return message.first(message.size() - mac_bytes); }

Mac mac_of(const crypto::KeyedBlake2s& key, Bytes bytes) {
    Mac mac;
    key.mac({{bytes}}, mac);
    return mac;
}

bool same(const Mac& mac, Bytes bytes) {
    return sodium_memcmp(mac.data(), bytes.data(), mac.size()) == 0;
}

} // namespace

CookieChecker::CookieChecker(const PublicKey& own)
    : mac1_(labelled(label_mac1, own), mac_bytes), cookie_key_(labelled(label_cookie, own)) {}

bool CookieChecker::has_valid_mac1(Bytes message) const {
    return same(mac_of(mac1_, before_mac1(message)), before_mac2(message).last<mac_bytes>());
}

bool CookieChecker::has_mac2(Bytes message) {
    return std::ranges::any_of(message.last<mac_bytes>(),
                               [](std::uint8_t byte) { return byte != 0; });
}

bool CookieChecker::has_valid_mac2(Bytes message, const UdpAddress& from, Instant now) {
    if (now >= secret_until_) return false; // we gave out no cookie lately
    const crypto::KeyedBlake2s key(cookie_for(from, now), mac_bytes);
    return same(mac_of(key, before_mac2(message)), message.last<mac_bytes>());
}

CookieReply CookieChecker::reply(Bytes message, const UdpAddress& from, Instant now) {
    CookieReply out{};
    store_le32(out.data(), static_cast<std::uint32_t>(MessageType::cookie));
    // The index of the sender stands at the same place in both messages.
    std::ranges::copy(part<initiation::sender, 4>(message), out.begin() + cookie_reply::receiver);
    const auto nonce = part<cookie_reply::nonce, 24>(MutableBytes(out));
    take_nonce(nonce);
    crypto::xaead_seal(cookie_key_, nonce, cookie_for(from, now),
                       before_mac2(message).last<mac_bytes>(),
                       part<cookie_reply::cookie, mac_bytes + tag_bytes>(MutableBytes(out)));
    return out;
}

void CookieChecker::take_nonce(std::span<std::uint8_t, 24> out) {
    if (nonces_left_ == 0) {
        crypto::random_bytes(nonces_);
        nonces_left_ = nonces_.size();
    }
    nonces_left_ -= out.size();
    std::copy_n(nonces_.begin() + static_cast<std::ptrdiff_t>(nonces_left_), out.size(),
                out.begin());
}

Mac CookieChecker::cookie_for(const UdpAddress& from, Instant now) {
    if (!secret_ || now >= secret_until_) {
        crypto::SecretHash secret;
        crypto::random_bytes(secret.bytes());
        secret_.emplace(secret.bytes(), mac_bytes);
        secret_until_ = now + cookie_secret_life;
    }
    std::array<std::uint8_t, 18> address{};
    const auto ip = from.ip.bytes();
    std::ranges::copy(ip, address.begin());
    address[ip.size()] = static_cast<std::uint8_t>(from.port >> 8);
    address[ip.size() + 1] = static_cast<std::uint8_t>(from.port);
    return mac_of(*secret_, Bytes(address).first(ip.size() + 2));
}

void CookieJar::add_macs(const PublicKey& peer, MutableBytes message, Instant now) {
    const crypto::KeyedBlake2s mac1(labelled(label_mac1, peer), mac_bytes);
    last_mac1_ = mac_of(mac1, before_mac1(message));
    std::ranges::copy(last_mac1_, message.end() - 2 * mac_bytes);
    awaits_reply_ = true;
    if (now >= cookie_until_) return;
    const crypto::KeyedBlake2s mac2(cookie_, mac_bytes);
    std::ranges::copy(mac_of(mac2, before_mac2(message)), message.end() - mac_bytes);
}

bool CookieJar::consume(const PublicKey& peer, Bytes reply, Instant now) {
    if (!awaits_reply_) return false;
    Mac cookie;
    if (!crypto::xaead_open(labelled(label_cookie, peer), part<cookie_reply::nonce, 24>(reply),
                            part<cookie_reply::cookie, mac_bytes + tag_bytes>(reply), last_mac1_,
                            cookie))
        return false;
    awaits_reply_ = false;
    cookie_ = cookie;
    cookie_until_ = now + cookie_life;
    return true;
}

} // namespace wgkit::engine
