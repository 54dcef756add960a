#include "alert/signature.hpp"

#include <sodium.h>

#include <array>
#include <vector>

namespace wgkit::alert {

namespace {

using Mac = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>;

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Mac hmac(std::string_view key, std::initializer_list<std::string_view> parts) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, bytes(key), key.size());
    for (const auto part : parts) crypto_auth_hmacsha256_update(&state, bytes(part), part.size());
    Mac mac;
    crypto_auth_hmacsha256_final(&state, mac.data());
    wipe(&state, sizeof state);
    return mac;
}

} // namespace

Result<std::string> standard_signature(std::string_view key, std::string_view id,
                                       std::string_view timestamp, std::string_view body) {
    constexpr std::string_view prefix = "whsec_";
    const Error wrong{Errc::invalid, "the webhook's signing key is not `whsec_` and base64",
                      "make one: echo whsec_$(openssl rand -base64 32)"};
    if (!key.starts_with(prefix)) return wrong;
    key.remove_prefix(prefix.size());
    SecretString raw(std::max<std::size_t>(key.size(), 64), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(raw.data()), raw.size(), key.data(),
                          key.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL)
            != 0
        || size < 24 || size > 64)
        return wrong;
    const Mac mac = hmac(std::string_view(raw).substr(0, size), {id, ".", timestamp, ".", body});
    std::array<char, sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)> text{};
    sodium_bin2base64(text.data(), text.size(), mac.data(), mac.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    return std::string("v1,") + text.data();
}

std::string hub_signature(std::string_view key, std::string_view body) {
    const Mac mac = hmac(key, {body});
    std::array<char, 65> text{};
    sodium_bin2hex(text.data(), text.size(), mac.data(), mac.size());
    return std::string("sha256=") + text.data();
}

} // namespace wgkit::alert
