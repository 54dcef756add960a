#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <span>

#include "util/ascii.hpp"
#include "wgkit/monitor.hpp"

namespace wgkit::monitor {

namespace {

Error broken(std::size_t line, std::string_view what) {
    return {Errc::invalid, fmt::format("line {} of the dump: {}", line, what),
            "it must be what `wg show all dump` or `wg show IFACE dump` prints"};
}

/// Tells two preshared keys apart and gives neither away: they are random.
std::string fingerprint(const PresharedKey& key) {
    if (is_zero(key)) return {};
    constexpr std::string_view purpose = "wgkit preshared key";
    std::array<unsigned char, crypto_generichash_BYTES> hash{};
    crypto_generichash(hash.data(), hash.size(), key.reveal().data(), key.reveal().size(),
                       reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size());
    return fmt::format("{:02x}", fmt::join(std::span(hash).first<8>(), ""));
}

std::string_view or_empty(std::string_view field) {
    return field == "(none)" ? std::string_view() : field;
}

/// One line; of what has more fields than any, so many.
struct Fields {
    std::array<std::string_view, 10> text;
    std::size_t count = 0;
};

Fields fields_of(std::string_view row) {
    Fields fields;
    while (fields.count < fields.text.size()) {
        const std::size_t tab = row.find('\t');
        fields.text.at(fields.count++) = row.substr(0, tab);
        if (tab == std::string_view::npos) break;
        row.remove_prefix(tab + 1);
    }
    return fields;
}

/// The fields of a peer without the interface's name.
Result<void> parse_peer(std::span<const std::string_view> fields, std::size_t at, std::size_t line,
                        PeerSample& peer) {
    const auto key = PublicKey::parse(fields[at]);
    if (!key) return broken(line, "the public key is none");
    peer.key = *key;
    if (fields[at + 1] != "(none)")
        if (const auto psk = parse_preshared_key(fields[at + 1])) peer.psk = fingerprint(*psk);
    peer.endpoint = or_empty(fields[at + 2]);
    peer.allowed_ips = or_empty(fields[at + 3]);
    const auto handshake = ascii::to_number(fields[at + 4], INT64_MAX);
    const auto rx = ascii::to_number(fields[at + 5], UINT64_MAX);
    const auto tx = ascii::to_number(fields[at + 6], UINT64_MAX);
    const auto keepalive = fields[at + 7] == "off" ? std::optional<std::uint64_t>(0)
                                                   : ascii::to_number(fields[at + 7], UINT16_MAX);
    if (!handshake) return broken(line, "the latest handshake is no number");
    if (!rx || !tx) return broken(line, "the transfer is no number");
    if (!keepalive) return broken(line, "the persistent keepalive is no number of seconds");
    peer.handshake = static_cast<std::int64_t>(*handshake);
    peer.rx = *rx;
    peer.tx = *tx;
    peer.keepalive = static_cast<std::uint16_t>(*keepalive);
    return {};
}

} // namespace

DeviceSample to_sample(const Device& device, const std::string& netns) {
    DeviceSample sample{netns, device.name, device.public_key, {}};
    sample.peers.reserve(device.peers.size());
    for (const auto& peer : device.peers) {
        PeerSample& to = sample.peers.emplace_back();
        to.key = peer.public_key;
        if (peer.endpoint) to.endpoint = to_string(*peer.endpoint);
        for (const auto& prefix : peer.allowed_ips) {
            if (!to.allowed_ips.empty()) to.allowed_ips += ',';
            to.allowed_ips += to_string(prefix);
        }
        to.keepalive = peer.persistent_keepalive;
        to.handshake = peer.last_handshake_seconds;
        to.rx = peer.rx_bytes;
        to.tx = peer.tx_bytes;
        if (peer.preshared_key) to.psk = fingerprint(*peer.preshared_key);
    }
    return sample;
}

Result<std::vector<DeviceSample>> parse_dump(std::string_view text, const std::string& interface) {
    std::vector<DeviceSample> devices;
    constexpr std::size_t shortest_line = 80;
    const std::size_t most_peers = text.size() / shortest_line;
    std::size_t line = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view row = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line;
        if (row.empty()) continue;
        const Fields all = fields_of(row);
        const std::span fields(all.text.data(), all.count);
        const bool is_device = fields.size() == 4 || fields.size() == 5;
        if (!is_device && fields.size() != 8 && fields.size() != 9)
            return broken(line, fmt::format("{} fields; a device has 5, a peer 9", fields.size()));
        const bool named = fields.size() % 2 == 1;
        const std::string name(named ? fields[0] : std::string_view(interface));
        if (name.empty() || name.size() > 15) return broken(line, "no name of an interface");
        if (is_device) {
            DeviceSample& device = devices.emplace_back();
            device.interface = name;
            if (devices.size() == 1) device.peers.reserve(most_peers); // mostly the only one
            if (const auto key = PublicKey::parse(fields[named ? 2 : 1])) device.public_key = *key;
            continue;
        }
        if (devices.empty() || devices.back().interface != name)
            return broken(line, "a peer before its device");
        auto parsed = parse_peer(fields, named ? 1 : 0, line, devices.back().peers.emplace_back());
        if (!parsed) return parsed.error();
    }
    return devices;
}

} // namespace wgkit::monitor
