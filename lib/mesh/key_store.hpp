#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "mesh/psk_master.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

namespace wgkit::mesh {

/// Preshared keys that were imported and cannot be derived, by the names of both nodes, sorted.
class StoredPairs {
  public:
    /// Lines `NODE NODE BASE64`. Errors: names the line, never its content.
    static Result<StoredPairs> parse(std::string_view text, const std::string& file);
    SecretString to_text() const;

    /// Keeps the first key of a pair; false if another one was there.
    bool add(const std::string& a, const std::string& b, const PresharedKey& key);
    const PresharedKey* find(const std::string& a, const std::string& b) const;
    std::size_t size() const { return keys_.size(); }

  private:
    std::map<std::pair<std::string, std::string>, PresharedKey> keys_;
};

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
