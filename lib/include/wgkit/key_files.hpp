#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// Keys as people keep them: NAME.key, NAME.pub and NAME.psk in a folder, each as `wg` prints it.
namespace wgkit {

/// What one end of a tunnel needs to exist.
struct KeySet {
    PrivateKey private_key;
    PublicKey public_key;
    std::optional<PresharedKey> preshared_key;
};

/// A new private key with its public key and, if asked for, a preshared key.
WGKIT_API KeySet generate_key_set(bool with_preshared_key);

/// Reads a private key by the rules of `wg pubkey`: exactly 44 characters of base64, then nothing
/// but white space or NUL. "-" is standard input. A file that group or others may access is refused
/// with Errc::permission, unless `allow_open`.
WGKIT_API Result<PrivateKey> read_private_key(const std::string& path, bool allow_open = false);

/// Which files are to be written, and where.
struct KeyFilesRequest {
    std::string folder; ///< made with mode 0700 if only its last part is missing
    std::string name;   ///< a DNS label: it becomes part of paths
    /// Without: one set under `name`. With: sets NAME-1 to NAME-n, numbers padded with zeros to the
    /// same width, so that they sort.
    std::optional<std::uint32_t> count;
    bool preshared_key = false;
    bool overwrite = false;
};

/// Where one set of keys was written.
struct KeyFiles {
    std::string name;
    PublicKey public_key;
    std::string private_key_path;   ///< mode 0600
    std::string public_key_path;    ///< mode 0644
    std::string preshared_key_path; ///< mode 0600; empty without a preshared key
};

/// Makes keys and writes their files: all of them, or none and everything as it was. After a run
/// that was killed, NAME.pub is there only if the files of NAME belong together.
/// Errors: invalid (name or folder), exists, permission, not_found, system.
WGKIT_API Result<std::vector<KeyFiles>> write_key_files(const KeyFilesRequest& request);

} // namespace wgkit
