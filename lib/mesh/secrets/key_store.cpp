#include "mesh/secrets/key_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"
#include "util/write_file.hpp"
#include "wgkit/files.hpp"

namespace wgkit::mesh {

namespace {

const std::string staged_suffix = ".next";
constexpr std::string_view ignore_all = "# Private keys: never commit this folder.\n*\n";

SecretString key_line(const PrivateKey& key) { return reveal_base64(key) + "\n"; }

} // namespace

KeyStore::KeyStore(std::string root, const std::string& network, bool allow_open)
    : root_(std::move(root)), folder_(root_ + "/" + network), allow_open_(allow_open) {}

std::string KeyStore::key_path(const std::string& node) const {
    return fmt::format("{}/{}.key", folder_, node);
}

std::string KeyStore::master_path() const { return folder_ + "/psk-master"; }

std::string KeyStore::pairs_path() const { return folder_ + "/pairs.psk"; }

Result<void> KeyStore::prepare() const {
    for (const auto& folder : {root_, folder_})
        if (auto made = files::make_folders(folder, 0700); !made) return made;
    const std::string ignore = root_ + "/.gitignore";
    if (::access(ignore.c_str(), F_OK) == 0) return {};
    return files::replace(ignore, ignore_all, 0644);
}

Result<void> KeyStore::sync() const { return files::sync_file_system(folder_); }

Result<std::optional<SecretString>> KeyStore::load(const std::string& path) const {
    auto text = files::read_secret(path, allow_open_);
    if (text) return std::optional(std::move(*text));
    if (text.error().code == Errc::not_found) return std::optional<SecretString>();
    return std::move(text).error();
}

Result<std::optional<PrivateKey>> KeyStore::load_key_file(const std::string& path) const {
    auto text = load(path);
    if (!text) return std::move(text).error();
    if (!*text) return std::optional<PrivateKey>();
    auto key = parse_private_key(ascii::trim(**text));
    if (!key)
        return Error{Errc::invalid, fmt::format("{}:1:1: {}", path, key.error().message),
                     "restore the file from a backup, or make a new key with `wgkit mesh rekey`"};
    return std::optional(std::move(*key));
}

bool KeyStore::has_key(const std::string& node) const {
    const std::string path = key_path(node);
    return ::access(path.c_str(), F_OK) == 0 || ::access((path + staged_suffix).c_str(), F_OK) == 0;
}

Result<std::optional<PrivateKey>> KeyStore::load_key(const std::string& node) const {
    return load_key_file(key_path(node));
}

Result<std::optional<PrivateKey>> KeyStore::load_staged_key(const std::string& node) const {
    return load_key_file(key_path(node) + staged_suffix);
}

Result<void> KeyStore::stage_key(const std::string& node, const PrivateKey& key) const {
    return files::replace(key_path(node) + staged_suffix, key_line(key), 0600);
}

Result<void> KeyStore::adopt_staged_key(const std::string& node) const {
    const std::string path = key_path(node);
    if (::rename((path + staged_suffix).c_str(), path.c_str()) != 0)
        return errno_error(fmt::format("cannot replace {}", path));
    return sync();
}

Result<void> KeyStore::create_key(const std::string& node, const PrivateKey& key) const {
    return files::create_unsynced(key_path(node), key_line(key), 0600, files::Sync::no);
}

Result<void> KeyStore::replace_key(const std::string& node, const PrivateKey& key) const {
    return files::replace(key_path(node), key_line(key), 0600);
}

Result<void> KeyStore::replace_pairs(const StoredPairs& pairs) const {
    if (pairs.size() != 0) return files::replace(pairs_path(), pairs.to_text(), 0600);
    if (::unlink(pairs_path().c_str()) != 0 && errno != ENOENT)
        return errno_error(fmt::format("cannot remove {}", pairs_path()));
    return {};
}

Result<StoredPairs> KeyStore::load_pairs() const {
    auto text = load(pairs_path());
    if (!text) return std::move(text).error();
    if (!*text) return StoredPairs();
    return StoredPairs::parse(**text, pairs_path());
}

Result<std::optional<PskMaster>> KeyStore::load_master() const {
    auto text = load(master_path());
    if (!text) return std::move(text).error();
    if (!*text) return std::optional<PskMaster>();
    auto master = PskMaster::parse(**text, master_path());
    if (!master) return std::move(master).error();
    return std::optional(std::move(*master));
}

Result<void> KeyStore::create_master(const PskMaster& master) const {
    return files::create(master_path(), master.to_text(), 0600);
}

Result<void> KeyStore::replace_master(const PskMaster& master) const {
    return files::replace(master_path(), master.to_text(), 0600);
}

} // namespace wgkit::mesh
