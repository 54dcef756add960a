#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/mesh.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Fleets that something else describes, turned into nodes.yaml.
namespace wgkit::mesh {

/// One wg-quick file of a fleet.
struct ImportFile {
    std::string path; ///< relative: NODE/etc/wireguard/IF.conf, or NAME.conf
    SecretString text;
    /// Of a private key that is not in the text, because it stays on its node.
    std::optional<PublicKey> key{};
    Ssh ssh{}; ///< how the node is reached
};

/// What the input does not say.
struct ImportOptions {
    std::string network = "imported"; ///< where the input does not name it
    Date today{};
};

/// A private key that the input held.
struct ImportedKey {
    std::string network;
    std::string node;
    PrivateKey key;
};

/// Preshared keys of one network, as its file in keys/ holds them.
struct ImportedPairs {
    std::string network;
    std::size_t count = 0;
    SecretString text;
};

/// An inventory and what belongs beside it; nothing is written yet.
struct Imported {
    std::string nodes; ///< text of nodes.yaml; holds no secret
    std::string lock;  ///< text of the lock
    std::size_t node_count = 0;
    std::vector<ImportedKey> keys;
    std::vector<ImportedPairs> pairs;
    Diagnostics diagnostics; ///< warnings: what was corrected, and what could not be kept
};

/// From the nodes' wg-quick files, rendered by wgkit or not. What the mesh computes anyway is left
/// out; what differs is kept as `peers:` of the node. Pure.
/// Errors: invalid with file:line:col if a file cannot be read.
WGKIT_API Result<Imported> import_wg_quick(std::span<const ImportFile> files,
                                           const ImportOptions& options);

/// From the CSV database of wg-meshconf 2.5. Its AllowedIPs with netmasks, which steal each other's
/// traffic, are corrected with a warning. Pure. Errors: invalid with file:line.
WGKIT_API Result<Imported> import_meshconf(std::string_view text, const std::string& file,
                                           const ImportOptions& options);

/// From the answer to Headscale's `GET /api/v1/node`: names, addresses, routes, tags and expiry.
/// Keys are not taken: a Tailscale client keeps its private key and changes it. Pre-auth keys in
/// the answer are neither kept nor shown. Pure. Errors: invalid.
WGKIT_API Result<Imported> import_headscale(std::string_view text, const std::string& file,
                                            const ImportOptions& options);

/// Writes keys, lock and inventory, the inventory last; none of the files may be there, unless
/// `overwrite`, but for what the same import left when it was killed. Keys that are there must be
/// the same ones in any case. Errors: exists, conflict (another key is there), permission, system.
WGKIT_API Result<void> write_import(const Imported& imported, const Paths& paths, bool overwrite);

} // namespace wgkit::mesh
