// The edge: an import becomes files. The inventory is written last, so that a run that was killed
// leaves no nodes.yaml whose keys are missing; the same import again completes it.
#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "mesh/secrets/key_store.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh_import.hpp"

namespace wgkit::mesh {

namespace {

Error would_change(const std::string& path) {
    return {Errc::conflict, fmt::format("{} holds another key", path),
            "keys are never overwritten: import into an empty folder, or move the file away"};
}

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<void> check_keys(const Imported& imported, const Paths& paths) {
    for (const auto& one : imported.keys) {
        const KeyStore store(paths.keys, one.network, false);
        auto known = store.load_key(one.node);
        if (!known) return std::move(known).error();
        if (*known && !equal(**known, one.key)) return would_change(store.key_path(one.node));
    }
    for (const auto& one : imported.pairs) {
        const KeyStore store(paths.keys, one.network, false);
        auto known = store.load_pairs();
        if (!known) return std::move(known).error();
        if (known->size() != 0 && known->to_text() != one.text)
            return would_change(store.pairs_path());
    }
    return {};
}

Result<void> write_keys(const Imported& imported, const Paths& paths) {
    for (const auto& one : imported.keys) {
        const KeyStore store(paths.keys, one.network, false);
        if (auto ready = store.prepare(); !ready) return ready;
        if (is_there(store.key_path(one.node))) continue;
        if (auto made = store.create_key(one.node, one.key); !made) return made;
    }
    for (const auto& one : imported.pairs) {
        const KeyStore store(paths.keys, one.network, false);
        if (auto ready = store.prepare(); !ready) return ready;
        if (auto made = files::replace(store.pairs_path(), one.text, 0600); !made) return made;
    }
    if (imported.keys.empty()) return {};
    return KeyStore(paths.keys, imported.keys.front().network, false).sync();
}

/// A lock without the days on which its keys were first seen.
std::string without_days(std::string_view lock) {
    constexpr std::string_view label = "keyed: ";
    constexpr std::size_t day_size = 10; // 2026-11-24
    std::string text(lock);
    for (auto at = text.find(label); at != text.npos; at = text.find(label, at))
        text.erase(at, label.size() + day_size);
    return text;
}

/// A lock without its inventory: left by this import when it was killed?
bool is_left_by(const Imported& imported, const Paths& paths) {
    if (is_there(paths.nodes)) return false;
    const auto lock = files::read(paths.lock);
    return lock && without_days(*lock) == without_days(imported.lock);
}

} // namespace

Result<void> write_import(const Imported& imported, const Paths& paths, bool overwrite) {
    const bool may_replace = overwrite || is_left_by(imported, paths);
    for (const auto& path : {paths.nodes, paths.lock})
        if (!may_replace && is_there(path))
            return Error{Errc::exists, fmt::format("{} is there already", path),
                         "give another name with -o, or --force to replace it"};
    if (auto safe = check_keys(imported, paths); !safe) return safe;
    if (auto written = write_keys(imported, paths); !written) return written;
    if (auto written = files::replace(paths.lock, imported.lock, 0644); !written) return written;
    return files::replace(paths.nodes, imported.nodes, 0644);
}

} // namespace wgkit::mesh
