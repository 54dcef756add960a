#pragma once

#include <functional>

#include "engine/control_socket.hpp"
#include "engine/link_watch.hpp"
#include "engine/tun_linux.hpp"
#include "engine/udp_linux.hpp"
#include "wgkit/tunnel.hpp"

namespace wgkit::engine {

/// Runs one device: waits for its descriptors, moves packets between them through the tunnel.
/// One thread for both directions: on few cores, waking another costs more than it brings.
class Loop : public Outside {
  public:
    using Log = std::function<void(LogLevel, const std::string& text)>;

    Loop(Tun tun, ControlSocket control, std::unique_ptr<crypto::CipherProvider> ciphers,
         UdpOptions options, Log log);

    /// Runs until a signal can be read from `signals` or the device is gone.
    TunnelEnd run(int signals);

    // What the configuration protocol asks for.
    Result<void> set_listen_port(std::uint16_t port) override;
    Result<void> set_mark(std::uint32_t mark) override;
    std::uint16_t listen_port() const override { return port_; }
    std::uint32_t mark() const override { return mark_; }
    std::string statistics() const override;

  private:
    bool from_network();
    bool from_device(TunnelEnd& ended);
    bool flush();
    bool wait(int timeout_ms, TunnelEnd& ended);
    void serve(int client);
    void link_changed();
    void set_mtu(std::size_t mtu);
    void set_up(bool up);
    void set_blocked(bool blocked);
    void watch(int fd, std::uint32_t events);
    void rewatch(int fd, std::uint32_t events);
    void update_now();
    int timeout() const;

    std::unique_ptr<crypto::CipherProvider> ciphers_;
    Tunnel tunnel_;
    Tun tun_;
    UdpSockets udp_;
    ControlSocket control_;
    std::optional<LinkWatch> link_; ///< nothing once the device is where we may not look
    Log log_;
    UniqueFd epoll_;
    Actions actions_;
    Now now_;
    std::uint16_t port_ = 0;
    std::uint32_t mark_ = 0;
    std::size_t mtu_ = 0; ///< as the kernel told last
    int signals_ = -1;
    bool link_up_ = false; ///< what the device should be; it is not while its port is taken
    std::string open_failure_;
    bool blocked_ = false; ///< the network takes no more for now
    std::array<int, 2> watched_udp_ = {-1, -1};
};

} // namespace wgkit::engine
