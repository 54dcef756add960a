#include "uapi/request.hpp"

#include <fmt/format.h>

#include <iterator>

#include "util/hex_key.hpp"

namespace wgkit::uapi {

namespace {

template <class Value>
void append(SecretString& out, std::string_view name, const Value& value) {
    fmt::format_to(std::back_inserter(out), "{}={}\n", name, value);
}

void append_key(SecretString& out, std::string_view name,
                std::span<const std::uint8_t, key_bytes> bytes) {
    out.append(name).append("=");
    append_hex(out, bytes);
    out.append("\n");
}

void append(SecretString& out, const PeerStep& step) {
    append_key(out, "public_key", step.public_key.bytes);
    if (step.remove) {
        append(out, "remove", "true");
        return;
    }
    if (!step.is_new) append(out, "update_only", "true");
    if (step.preshared_key != nullptr)
        append_key(out, "preshared_key", step.preshared_key->reveal());
    if (step.endpoint) append(out, "endpoint", to_string(*step.endpoint));
    if (step.persistent_keepalive)
        append(out, "persistent_keepalive_interval", *step.persistent_keepalive);
    for (const auto& prefix : step.allowed_ips) append(out, "allowed_ip", to_string(prefix));
    for (const auto& prefix : step.removed_ips) append(out, "allowed_ip", "-" + to_string(prefix));
}

} // namespace

SecretString set_request(const DeviceChange* fields, std::span<const PeerStep> steps) {
    SecretString out("set=1\n");
    if (fields != nullptr) {
        if (fields->private_key) append_key(out, "private_key", fields->private_key->reveal());
        if (fields->listen_port) append(out, "listen_port", *fields->listen_port);
        if (fields->fwmark) append(out, "fwmark", *fields->fwmark);
    }
    for (const auto& step : steps) {
        if (!step.by_dummy) {
            append(out, step);
            continue;
        }
        for (const auto& one : by_dummy_peer(step)) append(out, one);
    }
    out += '\n';
    return out;
}

} // namespace wgkit::uapi
