#pragma once

#include <list>
#include <string>

#include "engine/control.hpp"
#include "util/unique_fd.hpp"

namespace wgkit::engine {

/// The socket /var/run/wireguard/IFACE.sock and its clients. Whoever can open it has all keys, so
/// it is made for its owner alone.
class ControlSocket {
  public:
    /// Makes the socket; one that nobody listens on any more is replaced. Errors: exists if
    /// another process serves this interface, permission, system.
    static Result<ControlSocket> create(const std::string& interface);
    /// Takes over a listening socket that somebody else made (WG_UAPI_FD).
    static Result<ControlSocket> adopt(UniqueFd fd, const std::string& interface);

    ControlSocket(ControlSocket&&) = default;
    ControlSocket& operator=(ControlSocket&&) = delete;
    /// Removes the socket, if it is still ours.
    ~ControlSocket();

    int descriptor() const { return fd_.get(); }
    /// Readable when something happened to the socket's file: look with `is_gone`.
    int watch_descriptor() const { return watch_.get(); }
    /// Whether the file was deleted or replaced, which ends a tunnel.
    bool is_gone();

    /// A new client's descriptor, or -1.
    int accept(Tunnel& tunnel, Outside& outside);
    /// Serves a client that has sent something, or takes more. Whether it is still there, and
    /// whether it waits until it can take more of our answer.
    struct Served {
        bool open = false;
        bool wants_write = false;
    };
    Served serve(int client, const Now& now, Actions& actions);

  private:
    struct Client {
        UniqueFd fd;
        Control control;
        SecretString answer;
        std::size_t sent = 0;
        bool ended = false; ///< will send no more
    };

    ControlSocket(UniqueFd fd, std::string path);
    bool flush(Client& client);

    UniqueFd fd_;
    UniqueFd watch_;
    std::string path_;
    std::uint64_t inode_ = 0;
    std::list<Client> clients_;
};

} // namespace wgkit::engine
