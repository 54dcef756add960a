// Keys that nobody may use any more: off this node, for good.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "fleet/node.hpp"
#include "wgkit/config.hpp"
#include "wgkit/device.hpp"
#include "wgkit/files.hpp"
#include "wgkit/revoked.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeAnswer;
using wgkit::fleet::NodeInterface;
using wgkit::fleet::NodeRequest;

namespace {

bool holds(const std::vector<PublicKey>& keys, const PublicKey& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Adds the keys to the list that no rollback gets past; comments in it stay.
Result<void> list_keys(const std::vector<PublicKey>& keys, const std::string& who) {
    const auto known = read_revoked_keys();
    if (!known) return known.error();
    auto text = files::read(revoked_keys_path);
    if (!text && text.error().code != Errc::not_found) return text.error();
    std::string lines = text ? std::string(text->begin(), text->end()) : std::string();
    if (!lines.empty() && lines.back() != '\n') lines += '\n';
    bool changed = false;
    for (const auto& key : keys) {
        if (holds(*known, key)) continue;
        lines += fmt::format("{} # revoked by {}\n", to_string(key), who);
        changed = true;
    }
    if (!changed) return {};
    if (auto made = files::make_folders("/etc/wgkit", 0755); !made) return made;
    return files::replace(revoked_keys_path, lines, 0644);
}

Result<void> drop_from_device(const std::string& interface, const std::vector<PublicKey>& keys) {
    auto backend = open_device(interface);
    if (!backend) return backend.error();
    const auto present = (*backend)->get();
    if (!present) return present.error();
    DeviceChange change;
    for (const auto& peer : present->peers)
        if (holds(keys, peer.public_key)) change.removed_peers.push_back(peer.public_key);
    if (change.empty()) return {};
    const auto refused = (*backend)->set(change);
    if (!refused) return refused.error();
    if (!refused->empty()) return refused->front().error;
    const auto after = (*backend)->get();
    if (!after) return after.error();
    for (const auto& peer : after->peers)
        if (holds(keys, peer.public_key))
            return Error{
                Errc::system,
                fmt::format("{} still has the peer {}", interface, to_string(peer.public_key)),
                {}};
    return {};
}

Result<void> drop_from_file(const std::string& interface, const std::vector<PublicKey>& keys) {
    const auto path = file_path(interface);
    const auto text = files::read(path);
    if (!text) return text.error();
    auto parsed = config::parse(*text, path);
    if (parsed.diagnostics.errors() != 0)
        return Error{Errc::invalid, fmt::format("{} has errors; its peers stay", path),
                     fmt::format("`wgkit config check {}` on the node shows them", path)};
    const auto gone = std::erase_if(parsed.config.peers, [&](const config::Peer& peer) {
        return holds(keys, peer.public_key);
    });
    if (gone == 0) return {};
    return files::replace(path, config::write(parsed.config), files::mode_of(path));
}

Result<void> drop(const NodeInterface& one, const std::vector<PublicKey>& keys) {
    Result<void> done;
    if (one.is_up) done = drop_from_device(one.name, keys);
    if (one.has_file)
        if (auto file = drop_from_file(one.name, keys); !file && done) done = file;
    return done;
}

/// Where other programs than wgkit and wg-quick find their interfaces at boot.
constexpr const char* foreign_folders[] = {"/etc/systemd/network", "/etc/NetworkManager",
                                           "/etc/netplan", "/etc/network"};

/// A key in one of those files would be back after a reboot. They are not ours to write.
/// Errors: conflict, with file and line.
Result<void> check_foreign(const std::vector<PublicKey>& keys) {
    namespace fs = std::filesystem;
    for (const char* folder : foreign_folders) {
        std::error_code failed;
        for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
             at.increment(failed)) {
            if (!at->is_regular_file()) continue;
            const auto text = files::read(at->path());
            if (!text) return text.error();
            for (const auto& key : keys) {
                const auto found = text->find(to_string(key));
                if (found == text->npos) continue;
                const auto line =
                    1
                    + std::count(text->begin(), text->begin() + static_cast<std::ptrdiff_t>(found),
                                 '\n');
                return Error{Errc::conflict,
                             fmt::format("{}:{}: the key {} is still here, for the next boot",
                                         at->path().string(), line, to_string(key)),
                             "take it out there by hand; then `wgkit fleet revoke` once more"};
            }
        }
    }
    return {};
}

} // namespace

Result<void> drop_revoked(const std::string& interface) {
    const auto keys = read_revoked_keys();
    if (!keys) return keys.error();
    if (keys->empty()) return {};
    const auto one = read_interface(interface);
    return one ? drop(*one, *keys) : one.error();
}

void do_revoke(const NodeRequest& request, NodeAnswer& answer) {
    const auto fail = [&](const Error& error) {
        if (!answer.error) answer.error = error;
    };
    // The list first: from here on, neither a rollback nor another operator's plan restores them.
    if (auto listed = list_keys(request.revoked, request.operator_name); !listed)
        fail(listed.error());
    auto interfaces = read_interfaces();
    if (!interfaces) return fail(interfaces.error());
    for (const auto& one : *interfaces)
        if (auto done = drop(one, request.revoked); !done) fail(done.error());
    if (auto clean = check_foreign(request.revoked); !clean) fail(clean.error());
    if (auto now = read_interfaces()) answer.interfaces = *std::move(now);
    if (auto revoked = read_revoked_keys()) answer.revoked = *std::move(revoked);
}

} // namespace wgkit::tool::fleet
