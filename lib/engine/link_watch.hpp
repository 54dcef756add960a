#pragma once

#include <memory>
#include <optional>
#include <string>

#include "wgkit/result.hpp"

struct mnl_socket;

namespace wgkit::engine {

/// What the kernel says of a network interface.
struct LinkState {
    bool up = false;
    std::uint32_t mtu = 0;
    bool gone = false; ///< deleted, or moved to another network namespace
};

/// Tells when an interface goes up or down, changes its MTU or leaves our network namespace
/// (rtnetlink(7)).
class LinkWatch {
  public:
    static Result<LinkWatch> open(const std::string& interface);

    int descriptor() const;
    /// The newest news of the interface, without waiting; nothing if there are none.
    std::optional<LinkState> read();

  private:
    struct Close {
        void operator()(mnl_socket* socket) const;
    };
    LinkWatch(std::unique_ptr<mnl_socket, Close> socket, unsigned index)
        : socket_(std::move(socket)), index_(index) {}
    bool ask();

    std::unique_ptr<mnl_socket, Close> socket_;
    unsigned index_;
    unsigned sequence_ = 0;
};

} // namespace wgkit::engine
