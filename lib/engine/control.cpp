#include "engine/control.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sodium.h>

#include <cerrno>
#include <iterator>

#include "util/ascii.hpp"
#include "util/hex_key.hpp"

namespace wgkit::engine {

namespace {

constexpr std::size_t longest_line = 4096;
constexpr std::uint64_t most_seconds = 65535;

void add_hex(SecretString& out, std::string_view name,
             std::span<const std::uint8_t, key_bytes> key) {
    std::array<char, 2 * key_bytes + 1> hex;
    sodium_bin2hex(hex.data(), hex.size(), key.data(), key.size());
    out.append(name).append("=").append(hex.data(), 2 * key_bytes).append("\n");
    wipe(hex.data(), hex.size());
}

template <class... Args>
void add(SecretString& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// Decimal, as the protocol has it; wg writes the mark so too.
std::optional<std::uint64_t> number(std::string_view text, std::uint64_t most) {
    return ascii::to_number(text, most);
}

std::optional<UdpAddress> read_endpoint(std::string_view text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) return std::nullopt;
    std::string_view host = endpoint->host;
    std::string scope;
    if (const auto percent = host.find('%'); percent != std::string_view::npos) {
        scope = host.substr(percent + 1);
        host = host.substr(0, percent);
    }
    const auto ip = IpAddress::parse(host);
    if (!ip) return std::nullopt; // no names: whoever configures us has resolved them
    UdpAddress address{*ip, endpoint->port, 0};
    if (scope.empty()) return address;
    if (const auto index = number(scope, UINT32_MAX)) {
        address.scope = static_cast<std::uint32_t>(*index);
    } else {
        address.scope = ::if_nametoindex(scope.c_str());
        if (address.scope == 0) return std::nullopt;
    }
    return address;
}

std::string endpoint_text(const UdpAddress& address) {
    const std::string ip = to_string(address.ip);
    if (address.ip.is_v4()) return fmt::format("{}:{}", ip, address.port);
    if (address.scope != 0) return fmt::format("[{}%{}]:{}", ip, address.scope, address.port);
    return fmt::format("[{}]:{}", ip, address.port);
}

int error_of(const Result<void>& result) {
    if (result) return 0;
    return result.error().code == Errc::permission ? EPERM : EADDRINUSE;
}

} // namespace

bool Control::feed(std::string_view text, SecretString& answer, const Now& now, Actions& actions) {
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        const std::string_view rest = text.substr(0, end);
        text.remove_prefix(end + 1);
        bool good = false;
        if (partial_.empty()) {
            good = line(rest, answer, now, actions);
        } else {
            partial_.append(rest);
            good = line(partial_, answer, now, actions);
            partial_.clear();
        }
        if (!good) return false;
    }
    partial_.append(text);
    return partial_.size() <= longest_line;
}

void Control::finish(SecretString& answer, const Now& now, Actions& actions) {
    if (!partial_.empty() && !line(partial_, answer, now, actions)) return;
    if (request_ != Request::none) end_request(answer, now, actions);
}

bool Control::line(std::string_view text, SecretString& answer, const Now& now, Actions& actions) {
    if (text.empty()) {
        if (request_ == Request::none) return false;
        end_request(answer, now, actions);
        return true;
    }
    switch (request_) {
    case Request::none:
        error_ = 0;
        if (text == "get=1")
            request_ = Request::get;
        else if (text == "set=1")
            request_ = Request::set;
        else if (text == "wgkit_statistics=1")
            request_ = Request::statistics;
        else
            return false;
        return true;
    case Request::get:
    case Request::statistics:
        error_ = EINVAL;
        return true; // nothing may follow
    case Request::set:
        if (error_ == 0) error_ = set_line(text, now, actions);
        return true;
    }
    return false;
}

void Control::end_request(SecretString& answer, const Now& now, Actions& actions) {
    if (request_ == Request::set) end_peer(now, actions);
    if (request_ == Request::get && error_ == 0) get(answer);
    if (request_ == Request::statistics && error_ == 0) answer.append(outside_.statistics());
    add(answer, "errno={}\n\n", -error_); // negative, as wg expects it
    request_ = Request::none;
    error_ = 0;
}

int Control::set_line(std::string_view text, const Now& now, Actions& actions) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return EPROTO;
    const std::string_view key = text.substr(0, equals);
    const std::string_view value = text.substr(equals + 1);
    if (key == "public_key") return begin_peer(value, now, actions);
    return in_peer_ ? set_peer(key, value, now, actions) : set_device(key, value, now, actions);
}

int Control::set_device(std::string_view key, std::string_view value, const Now& now,
                        Actions& actions) {
    if (key == "private_key") {
        KeyBytes bytes;
        if (!read_hex(value, bytes)) return EINVAL;
        const bool none = sodium_is_zero(bytes.data(), bytes.size()) == 1;
        bytes[0] &= 0xf8; // clamped (RFC 7748 section 5), so that it reads back as it is used
        bytes[31] = static_cast<std::uint8_t>((bytes[31] & 0x7f) | 0x40);
        tunnel_.set_private_key(none ? std::nullopt : std::optional(PrivateKey(bytes)));
        wipe(bytes.data(), bytes.size());
        for (Peer& peer : tunnel_.peers()) tunnel_.start_peer(peer, now, actions);
        return 0;
    }
    if (key == "listen_port") {
        const auto port = number(value, UINT16_MAX);
        if (!port) return EINVAL;
        if (*port != 0 && *port == outside_.listen_port()) return 0;
        const int error = error_of(outside_.set_listen_port(static_cast<std::uint16_t>(*port)));
        if (error == 0) tunnel_.forget_sources();
        return error;
    }
    if (key == "fwmark") {
        const auto mark = number(value, UINT32_MAX);
        if (!mark) return EINVAL;
        const int error = error_of(outside_.set_mark(static_cast<std::uint32_t>(*mark)));
        if (error == 0) tunnel_.forget_sources();
        return error;
    }
    if (key == "replace_peers") {
        if (value != "true") return EINVAL;
        tunnel_.remove_all_peers();
        return 0;
    }
    return EINVAL;
}

int Control::begin_peer(std::string_view value, const Now& now, Actions& actions) {
    end_peer(now, actions);
    KeyBytes bytes;
    if (!read_hex(value, bytes)) return EINVAL;
    peer_key_.bytes = bytes;
    in_peer_ = true;
    created_peer_ = tunnel_.find_peer(peer_key_) == nullptr;
    // Our own key makes no peer, and what is said of it does nothing.
    ignore_peer_ = tunnel_.add_peer(peer_key_) == nullptr;
    return 0;
}

int Control::set_peer(std::string_view key, std::string_view value, const Now& now,
                      Actions& actions) {
    Peer* peer = ignore_peer_ ? nullptr : tunnel_.find_peer(peer_key_);
    const auto drop = [&] {
        if (peer != nullptr) tunnel_.remove_peer(*peer);
        ignore_peer_ = true;
    };
    if (key == "update_only") {
        if (value != "true") return EINVAL;
        if (created_peer_) drop();
        return 0;
    }
    if (key == "remove") {
        if (value != "true") return EINVAL;
        drop();
        return 0;
    }
    if (key == "preshared_key") {
        KeyBytes bytes;
        if (!read_hex(value, bytes)) return EINVAL;
        const bool none = sodium_is_zero(bytes.data(), bytes.size()) == 1;
        if (peer != nullptr)
            tunnel_.set_preshared_key(*peer,
                                      none ? std::nullopt : std::optional(PresharedKey(bytes)));
        wipe(bytes.data(), bytes.size());
        return 0;
    }
    if (key == "endpoint") {
        const auto endpoint = read_endpoint(value);
        if (!endpoint) return EINVAL;
        if (peer != nullptr) tunnel_.set_endpoint(*peer, *endpoint, now, actions);
        return 0;
    }
    if (key == "persistent_keepalive_interval") {
        const auto seconds = number(value, most_seconds);
        if (!seconds) return EINVAL;
        if (peer != nullptr)
            tunnel_.set_persistent_keepalive(*peer, std::chrono::seconds(*seconds), now, actions);
        return 0;
    }
    if (key == "replace_allowed_ips") {
        if (value != "true") return EINVAL;
        if (peer != nullptr) tunnel_.allowed_ips().remove_all(*peer);
        return 0;
    }
    if (key == "allowed_ip") return set_allowed_ip(value);
    if (key == "protocol_version") return value == "1" ? 0 : EINVAL;
    return EINVAL;
}

int Control::set_allowed_ip(std::string_view value) {
    const bool remove = !value.empty() && value.front() == '-';
    if (!value.empty() && (value.front() == '-' || value.front() == '+')) value.remove_prefix(1);
    if (value.find('/') == std::string_view::npos) return EINVAL;
    const auto prefix = Prefix::parse(value);
    if (!prefix) return EINVAL;
    Peer* peer = ignore_peer_ ? nullptr : tunnel_.find_peer(peer_key_);
    if (peer == nullptr) return 0;
    if (remove)
        tunnel_.allowed_ips().remove(*prefix, *peer);
    else
        tunnel_.allowed_ips().insert(*prefix, *peer);
    return 0;
}

void Control::end_peer(const Now& now, Actions& actions) {
    if (in_peer_ && !ignore_peer_)
        if (Peer* peer = tunnel_.find_peer(peer_key_)) tunnel_.start_peer(*peer, now, actions);
    in_peer_ = ignore_peer_ = created_peer_ = false;
}

void Control::get(SecretString& answer) const {
    if (const Identity* identity = tunnel_.identity())
        add_hex(answer, "private_key", identity->private_key.reveal());
    if (outside_.listen_port() != 0) add(answer, "listen_port={}\n", outside_.listen_port());
    if (outside_.mark() != 0) add(answer, "fwmark={}\n", outside_.mark());
    for (const Peer& peer : tunnel_.peers()) {
        static constexpr KeyBytes no_psk{};
        add_hex(answer, "public_key", peer.public_key.bytes);
        add_hex(answer, "preshared_key",
                peer.preshared_key ? peer.preshared_key->reveal()
                                   : std::span<const std::uint8_t, key_bytes>(no_psk));
        add(answer, "protocol_version=1\n");
        if (peer.path) add(answer, "endpoint={}\n", endpoint_text(peer.path->remote));
        const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(
            peer.last_handshake.time_since_epoch());
        add(answer, "last_handshake_time_sec={}\nlast_handshake_time_nsec={}\n",
            since.count() / 1'000'000'000, since.count() % 1'000'000'000);
        add(answer, "tx_bytes={}\nrx_bytes={}\npersistent_keepalive_interval={}\n", peer.sent_bytes,
            peer.received_bytes, peer.timers.persistent_interval.count());
        for (const Prefix& prefix : tunnel_.allowed_ips().of(peer))
            add(answer, "allowed_ip={}\n", to_string(prefix));
    }
}

} // namespace wgkit::engine
