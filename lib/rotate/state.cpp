#include "rotate/state.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/write_file.hpp"
#include "wgkit/config.hpp"
#include "wgkit/files.hpp"

namespace wgkit::rotate {

namespace {

constexpr std::array<std::string_view, 5> phase_words{"prepared", "switched", "rekeying", "rekeyed",
                                                      "returned"};
constexpr std::array<std::string_view, 3> device_heads{"@before", "@after", "@second"};

config::Peer peer_section(const WantedPeer& peer) {
    config::Peer out;
    out.public_key = peer.public_key;
    if (peer.preshared_key) out.preshared_key = peer.preshared_key->clone();
    out.endpoint = peer.endpoint;
    if (peer.persistent_keepalive)
        out.persistent_keepalive = std::chrono::seconds(*peer.persistent_keepalive);
    for (const auto& prefix : peer.allowed_ips) out.allowed_ips.push_back({prefix});
    return out;
}

SecretString device_text(const WantedDevice& device) {
    config::Config config;
    if (device.private_key) config.interface.private_key = device.private_key->clone();
    config.interface.listen_port = device.listen_port;
    config.interface.fw_mark = device.fwmark;
    for (const auto& peer : device.peers) config.peers.push_back(peer_section(peer));
    return config::write(config);
}

Error broken(const std::string& path) {
    return {Errc::invalid, fmt::format("{} is no record of a rotation, or not a whole one", path),
            "if the rotation is over, remove it; the keys in it are secret"};
}

Result<WantedDevice> parse_device(std::string_view text, const std::string& path) {
    const auto parsed = config::parse(text, path, {config::Dialect::wg});
    if (parsed.diagnostics.errors() != 0) return broken(path);
    return wanted_device(parsed.config);
}

bool read_word(State& state, std::string_view word, std::string_view value) {
    if (word == "phase") {
        const auto at = std::find(phase_words.begin(), phase_words.end(), value);
        state.phase = static_cast<Phase>(at - phase_words.begin());
        return at != phase_words.end();
    }
    if (word == "goal") state.going_back = value == "before";
    if (word == "interface") state.interface = value;
    if (word == "file") state.file = value;
    if (word == "second") state.second_name = value;
    if (word == "rp-filter") {
        const auto space = value.rfind(' ');
        if (space == value.npos) return false;
        const auto number = ascii::to_number(value.substr(space + 1), 9);
        if (!number) return false;
        state.rp_filters.push_back(
            {std::string(value.substr(0, space)), static_cast<int>(*number)});
    }
    return true; // what a later version adds is passed over
}

std::string place(const std::string& interface, const std::string& folder) {
    return fmt::format("{}/{}.state", folder, interface);
}

} // namespace

std::string_view to_string(Phase phase) { return phase_words.at(static_cast<std::size_t>(phase)); }

WantedPeer copy_of(const WantedPeer& peer) {
    WantedPeer copy;
    copy.public_key = peer.public_key;
    if (peer.preshared_key) copy.preshared_key = peer.preshared_key->clone();
    copy.endpoint = peer.endpoint;
    copy.address = peer.address;
    copy.persistent_keepalive = peer.persistent_keepalive;
    copy.allowed_ips = peer.allowed_ips;
    return copy;
}

SecretString to_text(const State& state) {
    SecretString text;
    const auto line = [&text](std::string_view word, std::string_view value) {
        text.append(word).append(" ").append(value).append("\n");
    };
    line("phase", to_string(state.phase));
    line("goal", state.going_back ? "before" : "after");
    line("interface", state.interface);
    line("file", state.file);
    line("second", state.second_name);
    for (const auto& filter : state.rp_filters)
        line("rp-filter", fmt::format("{} {}", filter.interface, filter.value));
    const std::array<const WantedDevice*, 3> devices{&state.before, &state.after, &state.second};
    for (std::size_t i = 0; i < devices.size(); ++i)
        text.append(device_heads.at(i)).append("\n").append(device_text(*devices.at(i)));
    return text.append("@end\n");
}

Result<State> parse_state(std::string_view text, const std::string& path) {
    State state;
    std::array<std::string_view, 4> parts; // the words, then the devices
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string_view head = i < device_heads.size() ? device_heads.at(i) : "@end";
        const auto at = text.find(head);
        if (at == text.npos || (at != 0 && text[at - 1] != '\n')) return broken(path);
        parts.at(i) = text.substr(0, at);
        text.remove_prefix(std::min(text.size(), at + head.size() + 1));
    }
    for (const auto line : ascii::split(parts.front(), '\n')) {
        const auto space = line.find(' ');
        if (!line.empty()
            && (space == line.npos
                || !read_word(state, line.substr(0, space), line.substr(space + 1))))
            return broken(path);
    }
    const std::array<WantedDevice*, 3> devices{&state.before, &state.after, &state.second};
    for (std::size_t i = 0; i < devices.size(); ++i) {
        auto device = parse_device(parts.at(i + 1), path);
        if (!device || !device->private_key) return broken(path);
        *devices.at(i) = *std::move(device);
    }
    const std::size_t peers = state.second.peers.size();
    if (state.interface.empty() || state.second_name.empty() || state.before.peers.size() != peers
        || state.after.peers.size() != peers)
        return broken(path);
    return state;
}

void remove_temporaries(const std::string& path) {
    const std::filesystem::path whole(path);
    std::error_code ignored;
    for (std::filesystem::directory_iterator at(whole.parent_path(), ignored), end;
         !ignored && at != end; at.increment(ignored))
        if (files::temporary_of(at->path().filename().string()) == whole.filename().string())
            ::unlink(at->path().c_str());
}

Result<void> save(const State& state, const std::string& folder) {
    if (auto made = files::make_folders(folder, 0700); !made) return made;
    remove_temporaries(place(state.interface, folder));
    return files::replace(place(state.interface, folder), to_text(state), 0600);
}

Result<std::optional<State>> load(const std::string& interface, const std::string& folder) {
    const std::string path = place(interface, folder);
    const auto text = files::read_secret(path);
    if (!text) {
        if (text.error().code == Errc::not_found) return std::optional<State>();
        return text.error();
    }
    auto state = parse_state(*text, path);
    if (!state) return state.error();
    return std::optional<State>(*std::move(state));
}

Result<void> remove(const std::string& interface, const std::string& folder) {
    const std::string path = place(interface, folder);
    remove_temporaries(path);
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return errno_error(fmt::format("cannot remove {}", path));
}

} // namespace wgkit::rotate
