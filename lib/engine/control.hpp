#pragma once

#include <string_view>

#include "engine/tunnel.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::engine {

/// What the configuration protocol changes or asks besides the tunnel: the sockets.
class Outside {
  public:
    virtual ~Outside() = default;
    virtual Result<void> set_listen_port(std::uint16_t port) = 0;
    virtual Result<void> set_mark(std::uint32_t mark) = 0;
    virtual std::uint16_t listen_port() const = 0;
    virtual std::uint32_t mark() const = 0;
    /// Lines `wgkit_NAME=VALUE`, for `wgkit-tunnel --stats`.
    virtual std::string statistics() const = 0;
};

/// One connection of the configuration protocol (wireguard.com/xplatform), without its I/O.
/// Lines take effect as they come; an error ends its request, earlier lines stay.
class Control {
  public:
    Control(Tunnel& tunnel, Outside& outside) : tunnel_(tunnel), outside_(outside) {}

    /// Takes what the client has sent, as much as has come, and adds what to answer.
    /// False: the client does not speak the protocol; hang up.
    [[nodiscard]] bool feed(std::string_view text, SecretString& answer, const Now& now,
                            Actions& actions);
    /// The client sends no more: a request without its empty line counts as ended.
    void finish(SecretString& answer, const Now& now, Actions& actions);

  private:
    enum class Request : std::uint8_t { none, get, set, statistics };

    bool line(std::string_view text, SecretString& answer, const Now& now, Actions& actions);
    void end_request(SecretString& answer, const Now& now, Actions& actions);
    int set_line(std::string_view text, const Now& now, Actions& actions);
    int set_device(std::string_view key, std::string_view value, const Now& now, Actions& actions);
    int begin_peer(std::string_view value, const Now& now, Actions& actions);
    int set_peer(std::string_view key, std::string_view value, const Now& now, Actions& actions);
    int set_allowed_ip(std::string_view value);
    void end_peer(const Now& now, Actions& actions);
    void get(SecretString& answer) const;

    Tunnel& tunnel_;
    Outside& outside_;
    SecretString partial_; ///< a line that has not ended
    Request request_ = Request::none;
    int error_ = 0; ///< of this request; 0 or an errno
    bool in_peer_ = false;
    PublicKey peer_key_;       ///< by key, not by address: another client may remove it meanwhile
    bool ignore_peer_ = false; ///< our own key, or removed: its lines are read but do nothing
    bool created_peer_ = false;
};

} // namespace wgkit::engine
