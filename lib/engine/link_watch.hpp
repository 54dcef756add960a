#pragma once

#include <memory>
#include <optional>
#include <string>

#include "wgkit/result.hpp"

struct mnl_socket;
struct nlmsghdr;

namespace wgkit::engine {

/// What the kernel says of a network interface.
struct LinkState {
    bool up = false;
    std::uint32_t mtu = 0;
    bool gone = false; ///< deleted, or moved to where we cannot follow it
};

/// Tells when a TUN device goes up or down or changes its MTU (rtnetlink(7)), also in another
/// network namespace that it is moved to: news of those that ours has a number for ("nsid") come to
/// a socket with NETLINK_LISTEN_ALL_NSID.
class LinkWatch {
  public:
    /// Follows the device of this descriptor, which must stay open. To follow it to another
    /// namespace CAP_NET_BROADCAST is needed now, and CAP_NET_ADMIN then.
    static Result<LinkWatch> open(int tun);

    int descriptor() const;
    /// The newest news of the device, without waiting; nothing if there are none.
    std::optional<LinkState> read();
    /// Whether the device is in our network namespace.
    bool is_here() const { return namespace_id_ == here; }

  private:
    struct Close {
        void operator()(mnl_socket* socket) const;
    };
    using Socket = std::unique_ptr<mnl_socket, Close>;
    static constexpr int here = -1;

    LinkWatch(Socket socket, int tun, bool follows)
        : socket_(std::move(socket)), tun_(tun), follows_(follows) {}
    bool find();
    bool ask();
    static std::optional<int> id_of_namespace(int fd);
    std::optional<LinkState> news_in(const nlmsghdr* message, int from);

    Socket socket_;
    int tun_;
    bool follows_;            ///< hears of other namespaces
    int namespace_id_ = here; ///< where the device is
    int index_ = 0;           ///< of the device there; 0 until the kernel has told
    unsigned sequence_ = 0;
};

} // namespace wgkit::engine
