#include "config/uapi_text.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <span>

#include "util/hex_key.hpp"

namespace wgkit::config {

namespace {

void append_key(SecretString& out, std::string_view name,
                std::span<const std::uint8_t, key_bytes> bytes) {
    out.append(name).append("=");
    append_hex(out, bytes);
    out.append("\n");
}

template <class Value>
void append(SecretString& out, std::string_view name, const Value& value) {
    fmt::format_to(std::back_inserter(out), "{}={}\n", name, value);
}

void append_interface(SecretString& out, const Interface& interface, bool all) {
    constexpr std::array<std::uint8_t, key_bytes> no_key{};
    if (interface.private_key)
        append_key(out, "private_key", interface.private_key->reveal());
    else if (all)
        append_key(out, "private_key", no_key);
    if (interface.listen_port || all) append(out, "listen_port", interface.listen_port.value_or(0));
    if (interface.fw_mark || all) append(out, "fwmark", interface.fw_mark.value_or(0));
}

void append_peer(SecretString& out, const Peer& peer) {
    append_key(out, "public_key", peer.public_key.bytes);
    if (peer.preshared_key) append_key(out, "preshared_key", peer.preshared_key->reveal());
    if (peer.endpoint) append(out, "endpoint", to_string(*peer.endpoint));
    if (peer.persistent_keepalive)
        append(out, "persistent_keepalive_interval", peer.persistent_keepalive->count());
    if (peer.replace_allowed_ips) append(out, "replace_allowed_ips", "true");
    for (const auto& entry : peer.allowed_ips)
        append(out, "allowed_ip",
               (entry.sign == Sign::remove ? "-" : "") + to_string(entry.prefix));
}

} // namespace

SecretString to_uapi(const Config& config, Apply apply) {
    const bool replace = apply == Apply::replace;
    SecretString out("set=1\n");
    append_interface(out, config.interface, replace);
    if (replace) append(out, "replace_peers", "true");
    for (const auto& peer : config.peers) append_peer(out, peer);
    out += '\n';
    return out;
}

} // namespace wgkit::config
