#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <set>

#include "crypto/sha256.hpp"
#include "fleet/node.hpp"
#include "util/ascii.hpp"
#include "wgkit/config.hpp"
#include "wgkit/device.hpp"
#include "wgkit/files.hpp"
#include "wgkit/interface.hpp"
#include "wgkit/key_files.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeInterface;

namespace {

constexpr const char* folder = "/etc/wireguard";

/// How many changes would make the device what its file says.
std::size_t drift_of(const config::Config& config, const Device& device) {
    const auto change = diff(wanted_device(config), device, {false, false, std::time(nullptr)});
    // An endpoint is set when its peer is silent: that is no difference in configuration.
    const auto differs = [](const PeerChange& peer) {
        return peer.is_new || peer.preshared_key || peer.persistent_keepalive || !peer.added.empty()
               || !peer.moved.empty() || !peer.removed.empty();
    };
    return static_cast<std::size_t>(
               std::count_if(change.peers.begin(), change.peers.end(), differs))
           + change.removed_peers.size() + (change.private_key ? 1U : 0U)
           + (change.listen_port ? 1U : 0U) + (change.fwmark ? 1U : 0U);
}

void take(NodeInterface& one, const Device& device) {
    one.is_up = true;
    one.key = device.public_key;
    one.port = device.listen_port;
    for (const auto& peer : device.peers)
        one.peers.push_back({peer.public_key, peer.endpoint ? to_string(*peer.endpoint) : "",
                             peer.last_handshake_seconds, peer.rx_bytes, peer.tx_bytes,
                             peer.allowed_ips});
}

Result<NodeInterface> read_one(const std::string& name, bool is_up) {
    NodeInterface one;
    one.name = name;
    std::string device_hash;
    std::optional<Device> device;
    if (is_up) {
        auto read = read_device(name);
        if (!read) return read.error();
        device_hash = state_hash(*read);
        take(one, *read);
        device = *std::move(read);
    }
    one.pending = time_left(name);
    one.can_go_back = can_go_back(name);
    const auto text = files::read(file_path(name));
    if (!text && text.error().code != Errc::not_found) return text.error();
    one.has_file = text.has_value();
    if (text) {
        const auto parsed = config::parse(*text, file_path(name));
        if (parsed.diagnostics.errors() == 0) {
            if (!one.key && parsed.config.interface.private_key)
                one.key = public_key(*parsed.config.interface.private_key);
            if (device) one.drift = drift_of(parsed.config, *device);
        }
    }
    const auto settings = files::read(settings_path(name));
    one.state_hash = crypto::sha256_hex(
        device_hash + " " + (text ? crypto::sha256_hex(*text) : std::string("none"))
        + (settings ? " " + crypto::sha256_hex(*settings) : std::string()));
    return one;
}

} // namespace

std::string file_path(const std::string& interface) {
    return fmt::format("{}/{}.conf", folder, interface);
}

Result<std::vector<NodeInterface>> read_interfaces() {
    auto devices = list_devices();
    if (!devices) return devices.error();
    std::set<std::string> names(devices->begin(), devices->end());
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failure))
        if (entry.path().extension() == ".conf" && entry.is_regular_file())
            names.insert(entry.path().stem());
    if (failure && failure != std::errc::no_such_file_or_directory)
        return Error{failure == std::errc::permission_denied ? Errc::permission : Errc::system,
                     fmt::format("cannot read {}: {}", folder, failure.message()),
                     "it takes root on the node"};
    std::vector<NodeInterface> out;
    for (const auto& name : names) {
        auto one =
            read_one(name, std::find(devices->begin(), devices->end(), name) != devices->end());
        if (!one) return one.error();
        out.push_back(*std::move(one));
    }
    return out;
}

Result<NodeInterface> read_interface(const std::string& name) {
    const auto devices = list_devices();
    if (!devices) return devices.error();
    return read_one(name, std::find(devices->begin(), devices->end(), name) != devices->end());
}

Result<PrivateKey> own_key(const std::string& interface) {
    if (auto device = read_device(interface); device && device->private_key)
        return std::move(*device->private_key);
    const auto path = file_path(interface);
    if (const auto text = files::read(path)) {
        auto parsed = config::parse(*text, path);
        if (parsed.diagnostics.errors() == 0 && parsed.config.interface.private_key)
            return std::move(*parsed.config.interface.private_key);
    }
    return read_private_key(fmt::format("{}/{}.key", folder, interface));
}

std::string ssh_interface(const std::string& connection,
                          const std::vector<NodeInterface>& interfaces) {
    // "client address, its port, server address, its port"
    const auto words = ascii::split(connection, ' ');
    if (words.size() != 4) return {};
    const auto client = IpAddress::parse(words[0]);
    if (!client) return {};
    for (const auto& one : interfaces)
        for (const auto& peer : one.peers)
            for (const auto& prefix : peer.allowed_ips)
                if (prefix.length != 0 && prefix.contains(*client)) return one.name;
    return {};
}

} // namespace wgkit::tool::fleet
