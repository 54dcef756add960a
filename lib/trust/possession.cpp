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
std::string mac_input(const Admission& admission, const Delegation& delegation) {
    return fmt::format("wgkit join v1\n{}\n{}\n{}\n{}\n{}\n{}\n{}", admission.network,
                       to_string(delegation.key), to_string(delegation.enrolment),
                       admission.record.name, delegation.expires, admission.nonce,
                       to_json(admission.record));
}

bool make_mac(const Admission& admission, const Delegation& delegation, const PrivateKey& mine,
              const PublicKey& theirs, Mac& mac) {
    std::array<std::uint8_t, crypto_scalarmult_BYTES> shared{};
    if (crypto_scalarmult(shared.data(), mine.reveal().data(), theirs.bytes.data()) != 0)
        return false; // a point of low order
    // The key binds both public keys, as RFC 6955 does with its leading and trailing information.
    std::array<std::uint8_t, crypto_auth_hmacsha256_KEYBYTES> key{};
    const std::string both =
        fmt::format("wgkit join key v1\n{}\n{}", to_string(admission.record.key),
                    to_string(delegation.enrolment));
    crypto_auth_hmacsha256(key.data(), bytes_of(both), both.size(), shared.data());
    const std::string input = mac_input(admission, delegation);
    crypto_auth_hmacsha256(mac.data(), bytes_of(input), input.size(), key.data());
    wipe(shared.data(), shared.size());
    wipe(key.data(), key.size());
    return true;
}

} // namespace

Result<std::string> possession_mac(const Admission& admission, const Delegation& delegation,
                                   const PrivateKey& node_key) {
    Mac mac{};
    if (!make_mac(admission, delegation, node_key, delegation.enrolment, mac))
        return Error{Errc::invalid, "the join key's enrolment key is not usable", {}};
    return to_base64({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

bool shows_possession(const Admission& admission, const Delegation& delegation,
                      const PrivateKey& enrolment_key) {
    Mac mac{};
    const auto given = from_base64(admission.mac);
    if (!given || given->size() != mac.size()) return false;
    if (!make_mac(admission, delegation, enrolment_key, admission.record.key, mac)) return false;
    return sodium_memcmp(mac.data(), given->data(), mac.size()) == 0;
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
