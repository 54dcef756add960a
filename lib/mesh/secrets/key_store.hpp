#pragma once

#include <optional>
#include <string>

#include "mesh/secrets/psk_master.hpp"
#include "mesh/secrets/stored_pairs.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

namespace wgkit::mesh {

/// The private keys of one network: FOLDER/NODE.key, FOLDER/psk-master and FOLDER/pairs.psk, all
/// 0600 in 0700 folders, with a .gitignore that keeps them out of version control. Nothing is
/// overwritten without being asked by name.
class KeyStore {
  public:
    /// `root` is keys/ beside nodes.yaml. Files open to others are refused unless `allow_open`.
    KeyStore(std::string root, const std::string& network, bool allow_open);

    /// Makes the folders and the .gitignore.
    Result<void> prepare() const;
    /// Makes what was created without syncing durable.
    Result<void> sync() const;

    std::string key_path(const std::string& node) const;
    std::string master_path() const;

    /// Is there a file, perhaps one that waits for the lock to name it?
    bool has_key(const std::string& node) const;
    /// Nothing if there is no such file.
    Result<std::optional<PrivateKey>> load_key(const std::string& node) const;
    /// Errors: Errc::exists. Durable only after `sync`.
    Result<void> create_key(const std::string& node, const PrivateKey& key) const;
    /// Replaces the file as a whole.
    Result<void> replace_key(const std::string& node, const PrivateKey& key) const;

    /// For `rekey`: a key that waits beside the present one until the lock names it.
    Result<void> stage_key(const std::string& node, const PrivateKey& key) const;
    Result<std::optional<PrivateKey>> load_staged_key(const std::string& node) const;
    Result<void> adopt_staged_key(const std::string& node) const;

    std::string pairs_path() const;
    /// Empty if there is no such file.
    Result<StoredPairs> load_pairs() const;
    /// Removes the file if none is left.
    Result<void> replace_pairs(const StoredPairs& pairs) const;

    Result<std::optional<PskMaster>> load_master() const;
    Result<void> create_master(const PskMaster& master) const;
    Result<void> replace_master(const PskMaster& master) const;

  private:
    Result<std::optional<SecretString>> load(const std::string& path) const;
    Result<std::optional<PrivateKey>> load_key_file(const std::string& path) const;

    std::string root_;
    std::string folder_;
    bool allow_open_;
};

} // namespace wgkit::mesh
