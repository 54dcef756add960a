#include "trust/possession.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

namespace wgkit::trust {

namespace {

using Mac = std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// Every value but the last is of fixed length or cannot hold a line break.
Possession possession_of(const Admission& admission, const Delegation& delegation) {
    return {fmt::format("wgkit join key v1\n{}\n{}", to_string(admission.record.key),
                        to_string(delegation.enrolment)),
            fmt::format("wgkit join v1\n{}\n{}\n{}\n{}\n{}\n{}\n{}", admission.network,
                        to_string(delegation.key), to_string(delegation.enrolment),
                        admission.record.name, delegation.expires, admission.nonce,
                        to_json(admission.record))};
}

bool compute(const Possession& what, const PrivateKey& mine, const PublicKey& theirs, Mac& mac) {
    std::array<std::uint8_t, crypto_scalarmult_BYTES> shared{};
    if (crypto_scalarmult(shared.data(), mine.reveal().data(), theirs.bytes.data()) != 0)
        return false; // a point of low order
    std::array<std::uint8_t, crypto_auth_hmacsha256_KEYBYTES> key{};
    crypto_auth_hmacsha256(key.data(), bytes_of(what.key_context), what.key_context.size(),
                           shared.data());
    crypto_auth_hmacsha256(mac.data(), bytes_of(what.text), what.text.size(), key.data());
    wipe(shared.data(), shared.size());
    wipe(key.data(), key.size());
    return true;
}

} // namespace

Result<std::string> make_mac(const Possession& what, const PrivateKey& mine,
                             const PublicKey& theirs) {
    Mac mac{};
    if (!compute(what, mine, theirs, mac))
        return Error{Errc::invalid, "the enrolment key is not usable", {}};
    return to_base64({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

bool is_mac(std::string_view given, const Possession& what, const PrivateKey& mine,
            const PublicKey& theirs) {
    Mac mac{};
    const auto bytes = from_base64(given);
    return bytes && bytes->size() == mac.size() && compute(what, mine, theirs, mac)
           && sodium_memcmp(mac.data(), bytes->data(), mac.size()) == 0;
}

Result<std::string> possession_mac(const Admission& admission, const Delegation& delegation,
                                   const PrivateKey& node_key) {
    return make_mac(possession_of(admission, delegation), node_key, delegation.enrolment);
}

bool shows_possession(const Admission& admission, const Delegation& delegation,
                      const PrivateKey& enrolment_key) {
    return is_mac(admission.mac, possession_of(admission, delegation), enrolment_key,
                  admission.record.key);
}

std::string seal_secret(std::string_view secret, const PublicKey& to) {
    std::string sealed(secret.size() + crypto_box_SEALBYTES, '\0');
    if (crypto_box_seal(reinterpret_cast<unsigned char*>(sealed.data()), bytes_of(secret),
                        secret.size(), to.bytes.data())
        != 0)
        return {}; // a point of low order: nobody could open it
    return sealed;
}

Result<SecretString> open_secret(std::string_view sealed, const PrivateKey& key) {
    const PublicKey mine = public_key(key);
    if (sealed.size() >= crypto_box_SEALBYTES) {
        SecretString secret(sealed.size() - crypto_box_SEALBYTES, '\0');
        if (crypto_box_seal_open(reinterpret_cast<unsigned char*>(secret.data()), bytes_of(sealed),
                                 sealed.size(), mine.bytes.data(), key.reveal().data())
            == 0)
            return secret;
    }
    return Error{Errc::invalid, "a sealed secret is not for this key, or was changed", {}};
}

} // namespace wgkit::trust
