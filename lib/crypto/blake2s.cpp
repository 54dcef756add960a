#include "crypto/blake2s.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/openssl.hpp"

namespace wgkit::crypto {

namespace {

// Looked up once, since that takes longer than a MAC; kept for the process's life.
EVP_MAC* algorithm() {
    static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "BLAKE2SMAC", nullptr);
    must(mac != nullptr);
    return mac;
}

} // namespace

void KeyedBlake2s::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

KeyedBlake2s::KeyedBlake2s(std::span<const std::uint8_t> key, std::size_t size) : size_(size) {
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                     OSSL_PARAM_construct_end()};
    context_.reset(EVP_MAC_CTX_new(algorithm()));
    must(context_ != nullptr
         && EVP_MAC_init(context_.get(), key.data(), key.size(), parameters) == 1);
}

void KeyedBlake2s::mac(std::span<const std::span<const std::uint8_t>> parts,
                       std::span<std::uint8_t> out) const {
    must(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1); // the key stays
    for (const auto& part : parts)
        must(EVP_MAC_update(context_.get(), part.data(), part.size()) == 1);
    std::size_t length = 0;
    must(out.size() == size_
         && EVP_MAC_final(context_.get(), out.data(), &length, out.size()) == 1);
}

} // namespace wgkit::crypto
