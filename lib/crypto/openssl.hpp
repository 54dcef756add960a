#pragma once

#include <openssl/evp.h>

#include <new>

namespace wgkit::crypto {

/// Frees OpenSSL's objects, which wipes what is secret in them.
struct Free {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// What fails here is memory, or an OpenSSL without a standard algorithm: nothing a caller could
/// handle.
inline void must(bool good) {
    if (!good) throw std::bad_alloc();
}

} // namespace wgkit::crypto
