#include "net/device_json.hpp"

#include <fmt/format.h>

#include <iterator>

namespace wgkit::tool::net {

namespace {

// By hand and not by the JSON library, whose strings are not wiped. Nothing needs escapes: keys,
// addresses and numbers never, names of interfaces by `quoted`.

SecretString json_string(std::string_view value) {
    SecretString text("\"");
    for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text.append("\"");
}

template <class Key>
SecretString secret(const std::optional<Key>& key, bool show) {
    if (!key) return SecretString("null");
    return json_string(show ? std::string_view(reveal_base64(*key)) : std::string_view("(hidden)"));
}

/// Writes `"name": value` with the comma that parts it from the one before.
class Object {
  public:
    Object(SecretString& text, std::size_t depth) : text_(text), depth_(depth) { text_ += '{'; }
    ~Object() {
        if (any_) text_.append("\n").append(2 * depth_, ' ');
        text_ += '}';
    }
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    SecretString& name(std::string_view name) {
        text_.append(any_ ? ",\n" : "\n").append(2 * (depth_ + 1), ' ');
        any_ = true;
        return text_.append(json_string(name)).append(": ");
    }
    void number(std::string_view key, std::int64_t value) {
        name(key).append(fmt::format_int(value).c_str());
    }
    void number(std::string_view key, std::uint64_t value) {
        name(key).append(fmt::format_int(value).c_str());
    }

  private:
    SecretString& text_;
    std::size_t depth_;
    bool any_ = false;
};

void add(SecretString& text, const DevicePeer& peer, bool show, std::size_t depth) {
    Object object(text, depth);
    object.name("presharedKey").append(secret(peer.preshared_key, show));
    object.name("endpoint")
        .append(peer.endpoint ? json_string(to_string(*peer.endpoint)) : SecretString("null"));
    object.number("latestHandshake", peer.last_handshake_seconds);
    object.number("latestHandshakeNanoseconds", std::uint64_t{peer.last_handshake_nanoseconds});
    object.number("transferRx", peer.rx_bytes);
    object.number("transferTx", peer.tx_bytes);
    object.number("persistentKeepalive", std::uint64_t{peer.persistent_keepalive});
    object.name("allowedIps").append("[");
    for (const auto& prefix : peer.allowed_ips)
        text.append(&prefix == &peer.allowed_ips.front() ? "" : ", ")
            .append(json_string(to_string(prefix)));
    text.append("]");
}

void add(SecretString& text, const Device& device, bool show, std::size_t depth) {
    Object object(text, depth);
    object.name("privateKey").append(secret(device.private_key, show));
    object.name("publicKey")
        .append(device.public_key ? json_string(to_string(*device.public_key))
                                  : SecretString("null"));
    object.number("listenPort", std::uint64_t{device.listen_port});
    object.number("fwmark", std::uint64_t{device.fwmark});
    object.name("peers");
    Object peers(text, depth + 1);
    for (const auto& peer : device.peers) {
        peers.name(to_string(peer.public_key));
        add(text, peer, show, depth + 2);
    }
}

} // namespace

SecretString to_json(const std::vector<Device>& devices, bool show_secrets) {
    SecretString text;
    {
        Object root(text, 0);
        root.number("schema", std::uint64_t{1});
        root.name("interfaces");
        Object object(text, 1);
        for (const auto& device : devices) {
            object.name(device.name);
            add(text, device, show_secrets, 2);
        }
    }
    return text.append("\n");
}

SecretString names_json(const std::vector<std::string>& names) {
    SecretString text("{\n  \"schema\": 1,\n  \"names\": [");
    for (const auto& name : names)
        text.append(&name == &names.front() ? "" : ", ").append(json_string(name));
    return text.append("]\n}\n");
}

} // namespace wgkit::tool::net
