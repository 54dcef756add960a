"""A WireGuard initiator without an engine, for tests that need thousands: Noise_IKpsk2 of the whitepaper
(section 5.4) on OpenSSL's X25519 and ChaCha20-Poly1305, and Python's BLAKE2s. Fixed keys of tests only."""
import ctypes
import ctypes.util
import hashlib
import hmac
import os
import struct
import time

CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
for _name in ("EVP_PKEY_new_raw_private_key", "EVP_PKEY_new_raw_public_key", "EVP_PKEY_CTX_new",
              "EVP_CIPHER_CTX_new", "EVP_chacha20_poly1305"):
    getattr(CRYPTO, _name).restype = ctypes.c_void_p
X25519, SET_TAG, GET_TAG = 1034, 0x11, 0x10
CONSTRUCTION = hashlib.blake2s(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s").digest()
IDENTIFIER = hashlib.blake2s(CONSTRUCTION + b"WireGuard v1 zx2c4 Jason@zx2c4.com").digest()


def _pointer(value):
    return ctypes.c_void_p(value)


class PrivateKey:
    def __init__(self, data=None):
        self.data = data or os.urandom(32)
        self.key = CRYPTO.EVP_PKEY_new_raw_private_key(X25519, None, self.data, ctypes.c_size_t(32))
        buffer, length = ctypes.create_string_buffer(32), ctypes.c_size_t(32)
        CRYPTO.EVP_PKEY_get_raw_public_key(_pointer(self.key), buffer, ctypes.byref(length))
        self.public = buffer.raw

    def shared(self, public):
        peer = CRYPTO.EVP_PKEY_new_raw_public_key(X25519, None, public, ctypes.c_size_t(32))
        context = _pointer(CRYPTO.EVP_PKEY_CTX_new(_pointer(self.key), None))
        buffer, length = ctypes.create_string_buffer(32), ctypes.c_size_t(32)
        CRYPTO.EVP_PKEY_derive_init(context)
        CRYPTO.EVP_PKEY_derive_set_peer(context, _pointer(peer))
        good = CRYPTO.EVP_PKEY_derive(context, buffer, ctypes.byref(length))
        CRYPTO.EVP_PKEY_CTX_free(context)
        CRYPTO.EVP_PKEY_free(_pointer(peer))
        assert good == 1, "X25519 failed"
        return buffer.raw

    def __del__(self):
        CRYPTO.EVP_PKEY_free(_pointer(self.key))


def seal(key, counter, text, covered=b""):
    context = _pointer(CRYPTO.EVP_CIPHER_CTX_new())
    CRYPTO.EVP_EncryptInit_ex(context, _pointer(CRYPTO.EVP_chacha20_poly1305()), None, key,
                              struct.pack("<4xQ", counter))
    length, out, tag = ctypes.c_int(), ctypes.create_string_buffer(len(text) + 1), ctypes.create_string_buffer(16)
    if covered:
        CRYPTO.EVP_EncryptUpdate(context, None, ctypes.byref(length), covered, len(covered))
    CRYPTO.EVP_EncryptUpdate(context, out, ctypes.byref(length), text, len(text))
    CRYPTO.EVP_EncryptFinal_ex(context, out, ctypes.byref(length))
    CRYPTO.EVP_CIPHER_CTX_ctrl(context, GET_TAG, 16, tag)
    CRYPTO.EVP_CIPHER_CTX_free(context)
    return out.raw[:len(text)] + tag.raw


def opened(key, counter, sealed, covered=b""):
    """The text, or None if the tag is wrong."""
    context = _pointer(CRYPTO.EVP_CIPHER_CTX_new())
    CRYPTO.EVP_DecryptInit_ex(context, _pointer(CRYPTO.EVP_chacha20_poly1305()), None, key,
                              struct.pack("<4xQ", counter))
    length, out = ctypes.c_int(), ctypes.create_string_buffer(len(sealed))
    if covered:
        CRYPTO.EVP_DecryptUpdate(context, None, ctypes.byref(length), covered, len(covered))
    CRYPTO.EVP_DecryptUpdate(context, out, ctypes.byref(length), sealed, len(sealed) - 16)
    CRYPTO.EVP_CIPHER_CTX_ctrl(context, SET_TAG, 16, sealed[-16:])
    good = CRYPTO.EVP_DecryptFinal_ex(context, out, ctypes.byref(length))
    CRYPTO.EVP_CIPHER_CTX_free(context)
    return out.raw[:len(sealed) - 16] if good == 1 else None


def _hash(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def _kdf(chaining, data, count):
    secret, last, out = hmac.digest(chaining, data, "blake2s"), b"", []
    for number in range(1, count + 1):
        last = hmac.digest(secret, last + bytes([number]), "blake2s")
        out.append(last)
    return out


def tai64n():
    now = time.time_ns()
    return struct.pack(">QI", 0x400000000000000A + now // 10**9, now % 10**9)


class Initiator:
    """One peer's side of one handshake, and its sending key afterwards."""

    def __init__(self, private, responder_public, index, psk=bytes(32)):
        self.private, self.responder, self.index, self.psk = private, responder_public, index, psk
        self.static = private.shared(responder_public)
        self.counter = 0

    def initiation(self):
        self.ephemeral = PrivateKey()
        chaining, digest = CONSTRUCTION, _hash(IDENTIFIER, self.responder)
        message = struct.pack("<II", 1, self.index) + self.ephemeral.public
        digest = _hash(digest, self.ephemeral.public)
        chaining, = _kdf(chaining, self.ephemeral.public, 1)
        chaining, key = _kdf(chaining, self.ephemeral.shared(self.responder), 2)
        sealed = seal(key, 0, self.private.public, digest)
        message, digest = message + sealed, _hash(digest, sealed)
        chaining, key = _kdf(chaining, self.static, 2)
        sealed = seal(key, 0, tai64n(), digest)
        self.chaining, self.digest = chaining, _hash(digest, sealed)
        message += sealed
        key = hashlib.blake2s(b"mac1----" + self.responder).digest()
        return message + hashlib.blake2s(message, key=key, digest_size=16).digest() + bytes(16)

    def accept(self, response):
        """True if it is the answer; then `data` can be used."""
        theirs = response[12:44]
        digest, chaining = _hash(self.digest, theirs), _kdf(self.chaining, theirs, 1)[0]
        chaining, = _kdf(chaining, self.ephemeral.shared(theirs), 1)
        chaining, = _kdf(chaining, self.private.shared(theirs), 1)
        chaining, middle, key = _kdf(chaining, self.psk, 3)
        digest = _hash(digest, middle)
        if opened(key, 0, response[44:60], digest) is None:
            return False
        self.sending, self.receiving = _kdf(chaining, b"", 2)
        self.remote = response[4:8]
        return True

    def data(self, packet):
        """A data message with this inner packet, padded."""
        padded = packet + bytes(-len(packet) % 16)
        message = struct.pack("<I4sQ", 4, self.remote, self.counter) + seal(self.sending, self.counter, padded)
        self.counter += 1
        return message
