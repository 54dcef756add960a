#include "uapi/answer.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <limits>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/hex_key.hpp"

namespace wgkit::uapi {

namespace {

constexpr std::size_t longest_line = 4096;
constexpr std::uint64_t most_nanoseconds = 999'999'999;

/// A secret key; `out` stays empty for one of zeros, which stands for none.
template <class Key>
bool read_secret(std::string_view text, std::optional<Key>& out) {
    KeyBytes bytes{};
    const bool good = read_hex(text, bytes);
    if (good && sodium_is_zero(bytes.data(), bytes.size()) == 0) out.emplace(bytes);
    wipe(bytes.data(), bytes.size());
    return good;
}

template <class Number>
bool read_number(std::string_view text, Number& out,
                 std::uint64_t most = std::numeric_limits<Number>::max()) {
    const auto value = ascii::to_number(text, most);
    if (value) out = static_cast<Number>(*value);
    return value.has_value();
}

// As getnameinfo(3) writes it. Not by Endpoint::parse, which refuses port 0: a device may have it.
bool read_endpoint(std::string_view text, std::optional<DeviceEndpoint>& out) {
    DeviceEndpoint endpoint;
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || !read_number(text.substr(colon + 1), endpoint.port))
        return false;
    std::string_view host = text.substr(0, colon);
    const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (brackets) host = host.substr(1, host.size() - 2);
    if (const auto percent = host.find('%'); percent != std::string_view::npos) {
        const std::string zone(host.substr(percent + 1));
        host = host.substr(0, percent);
        // By a name that is gone from here, it cannot be told: then without.
        if (!read_number(zone, endpoint.scope)) endpoint.scope = ::if_nametoindex(zone.c_str());
    }
    const auto address = IpAddress::parse(host);
    if (!address || address->is_v4() == brackets) return false;
    endpoint.address = *address;
    out = endpoint;
    return true;
}

bool read_prefix(std::string_view text, std::vector<Prefix>& out) {
    const auto prefix = Prefix::parse(text);
    if (prefix) out.push_back(*prefix);
    return prefix.has_value();
}

/// A key's name as it can be shown: an engine gone wrong must not write a secret into our messages.
std::string_view shown(std::string_view key) {
    const bool plain = key.size() <= 40 && std::all_of(key.begin(), key.end(), [](char c) {
                           return ascii::is_alnum(c) || c == '_';
                       });
    return plain ? key : std::string_view("?");
}

} // namespace

Result<void> Answer::feed(std::string_view bytes) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        const std::string_view rest = bytes.substr(0, end);
        bytes.remove_prefix(end + 1);
        if (partial_.empty()) {
            if (auto good = line(rest); !good) return good;
        } else {
            partial_.append(rest);
            if (auto good = line(partial_); !good) return good;
            partial_.clear();
        }
    }
    if (complete_ && !bytes.empty())
        return Error{Errc::invalid, "text after the end of the answer", {}};
    partial_.append(bytes);
    if (partial_.size() > longest_line)
        return Error{Errc::invalid, fmt::format("line {} is too long", lines_ + 1), {}};
    return {};
}

Result<void> Answer::line(std::string_view text) {
    if (complete_) return Error{Errc::invalid, "text after the end of the answer", {}};
    ++lines_;
    if (text.empty()) {
        complete_ = true;
        return end();
    }
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
        return Error{Errc::invalid, fmt::format("line {} is no key=value", lines_), {}};
    const std::string_view key = text.substr(0, equals);
    std::string_view value = text.substr(equals + 1);
    bool good = error_ < 0; // it is the last line
    if (key == "errno") {
        if (value.starts_with('-')) value.remove_prefix(1); // engines do not agree on the sign
        good = good && read_number(value, error_);
    } else if (key == "public_key") {
        device_.peers.emplace_back();
        good = good && read_hex(value, device_.peers.back().public_key.bytes);
    } else {
        good = good && (device_.peers.empty() ? device_line(key, value) : peer_line(key, value));
    }
    if (good) return {};
    return Error{Errc::invalid, fmt::format("line {}: bad {}", lines_, shown(key)), {}};
}

bool Answer::device_line(std::string_view key, std::string_view value) {
    if (key == "private_key") {
        if (!read_secret(value, device_.private_key)) return false;
        if (device_.private_key) device_.public_key = public_key(*device_.private_key);
        return true;
    }
    if (key == "listen_port") return read_number(value, device_.listen_port);
    if (key == "fwmark") return read_number(value, device_.fwmark);
    constexpr std::array of_peers{
        "preshared_key", "endpoint", "allowed_ip",      "persistent_keepalive_interval",
        "rx_bytes",      "tx_bytes", "protocol_version"};
    return std::find(of_peers.begin(), of_peers.end(), key) == of_peers.end()
           && !key.starts_with("last_handshake_time_");
}

bool Answer::peer_line(std::string_view key, std::string_view value) {
    DevicePeer& peer = device_.peers.back();
    if (key == "allowed_ip") return read_prefix(value, peer.allowed_ips);
    if (key == "preshared_key") return read_secret(value, peer.preshared_key);
    if (key == "endpoint") return read_endpoint(value, peer.endpoint);
    if (key == "persistent_keepalive_interval")
        return read_number(value, peer.persistent_keepalive);
    if (key == "last_handshake_time_sec") return read_number(value, peer.last_handshake_seconds);
    if (key == "last_handshake_time_nsec")
        return read_number(value, peer.last_handshake_nanoseconds, most_nanoseconds);
    if (key == "rx_bytes") return read_number(value, peer.rx_bytes);
    if (key == "tx_bytes") return read_number(value, peer.tx_bytes);
    return key != "private_key" && key != "listen_port" && key != "fwmark";
}

Result<void> Answer::end() const {
    if (error_ < 0) return Error{Errc::invalid, "the answer ends without its errno", {}};
    if (error_ > 0) return errno_error("the engine refuses", error_);
    return {};
}

} // namespace wgkit::uapi
