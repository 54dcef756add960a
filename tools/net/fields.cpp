#include "net/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace wgkit::tool::net {

namespace {

constexpr std::string_view none = "(none)";

template <class Key>
SecretString key_or_none(const std::optional<Key>& key) {
    if (!key) return SecretString(none);
    if constexpr (std::is_same_v<Key, PublicKey>)
        return SecretString(to_string(*key));
    else
        return reveal_base64(*key);
}

SecretString number(std::uint64_t value) {
    const fmt::format_int text(value);
    return SecretString(text.data(), text.size());
}

SecretString keepalive(const DevicePeer& peer) {
    return peer.persistent_keepalive == 0 ? SecretString("off") : number(peer.persistent_keepalive);
}

SecretString endpoint(const DevicePeer& peer) {
    return SecretString(peer.endpoint ? to_string(*peer.endpoint) : std::string(none));
}

SecretString handshake(const DevicePeer& peer) {
    return SecretString(fmt::format_int(peer.last_handshake_seconds).c_str());
}

SecretString allowed_ips(const DevicePeer& peer, std::string_view separator) {
    return peer.allowed_ips.empty() ? SecretString(none) : joined(peer.allowed_ips, separator);
}

SecretString transfer(const DevicePeer& peer) {
    return number(peer.rx_bytes).append("\t").append(number(peer.tx_bytes));
}

/// A field of the device is one line; one of its peers is a line for each, behind the public key.
struct Field {
    std::string_view name;
    SecretString (*of_device)(const Device&);
    SecretString (*of_peer)(const DevicePeer&); ///< empty text: the key is all
    /// wg writes the device's name once and not before each peer, even if there is none.
    bool name_once = false;
};

SecretString dump_of(const Device& device) {
    return key_or_none(device.private_key)
        .append("\t")
        .append(key_or_none(device.public_key))
        .append("\t")
        .append(number(device.listen_port))
        .append("\t")
        .append(fwmark_text(device.fwmark));
}

SecretString dump_of(const DevicePeer& peer) {
    return key_or_none(peer.preshared_key)
        .append("\t")
        .append(endpoint(peer))
        .append("\t")
        .append(allowed_ips(peer, ","))
        .append("\t")
        .append(handshake(peer))
        .append("\t")
        .append(transfer(peer))
        .append("\t")
        .append(keepalive(peer));
}

constexpr std::array fields{
    Field{"public-key", [](const Device& d) { return key_or_none(d.public_key); }, nullptr},
    Field{"private-key", [](const Device& d) { return key_or_none(d.private_key); }, nullptr},
    Field{"listen-port", [](const Device& d) { return number(d.listen_port); }, nullptr},
    Field{"fwmark", [](const Device& d) { return fwmark_text(d.fwmark); }, nullptr},
    Field{"peers", nullptr, [](const DevicePeer&) { return SecretString(); }},
    Field{"preshared-keys", nullptr,
          [](const DevicePeer& p) { return key_or_none(p.preshared_key); }},
    Field{"endpoints", nullptr, endpoint, true},
    Field{"allowed-ips", nullptr, [](const DevicePeer& p) { return allowed_ips(p, " "); }},
    Field{"latest-handshakes", nullptr, handshake},
    Field{"transfer", nullptr, transfer},
    Field{"persistent-keepalive", nullptr, keepalive},
    Field{"dump", dump_of, dump_of},
};

} // namespace

std::vector<std::string> field_names() {
    std::vector<std::string> names;
    for (const auto& field : fields) names.emplace_back(field.name);
    return names;
}

SecretString fwmark_text(std::uint32_t fwmark) {
    return SecretString(fwmark == 0 ? "off" : fmt::format("{:#x}", fwmark));
}

SecretString joined(const std::vector<Prefix>& prefixes, std::string_view separator) {
    SecretString text;
    for (const auto& prefix : prefixes)
        text.append(text.empty() ? "" : separator).append(to_string(prefix));
    return text;
}

void add_field(SecretString& text, const Device& device, std::string_view name, bool with_name) {
    const auto* field = std::find_if(fields.begin(), fields.end(),
                                     [name](const Field& one) { return one.name == name; });
    const std::string start = with_name ? device.name + "\t" : std::string();
    if (field->of_device != nullptr)
        text.append(start).append(field->of_device(device)).append("\n");
    if (field->of_peer == nullptr) return;
    if (field->name_once) text.append(start);
    for (const auto& peer : device.peers) {
        if (!field->name_once) text.append(start);
        text.append(to_string(peer.public_key));
        const SecretString value = field->of_peer(peer);
        if (!value.empty()) text.append("\t").append(value);
        text += '\n';
    }
}

} // namespace wgkit::tool::net
