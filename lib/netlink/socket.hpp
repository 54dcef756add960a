#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

struct mnl_socket;
struct nlmsghdr;

namespace wgkit::netlink {

/// What is done with a dump: `begin` before its first message, and again if it was inconsistent
/// and is asked for anew; `message` for each one, whose memory holds only during the call.
struct Reader {
    std::function<void()> begin;
    std::function<Result<void>(const nlmsghdr&)> message;
};

/// A netlink socket (netlink(7)). Messages may hold keys, so its memory is wiped.
class Socket {
  public:
    /// `bus`: NETLINK_ROUTE or NETLINK_GENERIC. Errors: system.
    static Result<Socket> open(int bus);

    /// Has the kernel (from 4.20) leave out of dumps of routes and addresses what the request does
    /// not ask for. The caller must filter all the same.
    void filter_dumps();

    /// Sends a request and reads the answer to its end, a dump of any size too. The request's
    /// sequence number is set here. Errors carry `what` and the kernel's error number, which is
    /// also in `kernel_error()`; conflict if a dump was inconsistent many times.
    Result<void> ask(nlmsghdr& request, const char* what, const Reader& reader);

    /// The error number of the last `ask`, 0 if the kernel had nothing against it.
    int kernel_error() const { return kernel_error_; }

  private:
    struct Close {
        void operator()(mnl_socket* socket) const;
    };
    enum class Outcome { complete, inconsistent };
    explicit Socket(std::unique_ptr<mnl_socket, Close> socket);
    Result<Outcome> read_answer(std::uint32_t sequence, const char* what, const Reader& reader);

    std::unique_ptr<mnl_socket, Close> socket_;
    SecretString buffer_;
    std::uint32_t sequence_ = 0;
    int kernel_error_ = 0;
};

} // namespace wgkit::netlink
