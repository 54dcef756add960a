#include "engine/control_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "uapi/socket_path.hpp"
#include "util/errno_error.hpp"
#include "wgkit/files.hpp"

namespace wgkit::engine {

namespace {

constexpr std::size_t read_bytes =
    65536; ///< at once, so that a large request does not stop traffic
constexpr std::size_t most_clients = 64;

std::uint64_t inode_of(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

bool is_served(const sockaddr_un& address) {
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

} // namespace

Result<ControlSocket> ControlSocket::create(const std::string& interface) {
    if (auto made = files::make_folders(uapi::folder, 0755); !made) return made.error();
    const std::string path = uapi::path_of(interface);
    const auto address = uapi::address_of(path);
    if (!address) return Error{Errc::invalid, fmt::format("{}: path is too long", path), {}};
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return errno_error("cannot open a configuration socket");
    const auto bind = [&] {
        const mode_t before = ::umask(077);
        const int result =
            ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
        ::umask(before);
        return result == 0;
    };
    if (!bind()) {
        if (errno != EADDRINUSE) return errno_error(fmt::format("cannot make {}", path));
        if (is_served(*address))
            return Error{Errc::exists, fmt::format("{} is in use", path),
                         "another process serves this interface; stop it first"};
        ::unlink(path.c_str()); // left behind by a process that was killed
        if (!bind()) return errno_error(fmt::format("cannot make {}", path));
    }
    if (::listen(fd.get(), SOMAXCONN) != 0)
        return errno_error(fmt::format("cannot listen on {}", path));
    return ControlSocket(std::move(fd), path);
}

Result<ControlSocket> ControlSocket::adopt(UniqueFd fd, const std::string& interface) {
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return errno_error("cannot prepare the configuration socket");
    return ControlSocket(std::move(fd), uapi::path_of(interface));
}

ControlSocket::ControlSocket(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), watch_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), path_(std::move(path)),
      inode_(inode_of(path_)) {
    if (watch_) ::inotify_add_watch(watch_.get(), path_.c_str(), IN_ATTRIB | IN_DELETE_SELF);
}

ControlSocket::~ControlSocket() {
    if (fd_ && inode_ != 0 && inode_of(path_) == inode_) ::unlink(path_.c_str());
}

bool ControlSocket::is_gone() {
    std::array<char, 4096> events;
    while (::read(watch_.get(), events.data(), events.size()) > 0) {
    }
    return inode_of(path_) != inode_;
}

int ControlSocket::accept(Tunnel& tunnel, Outside& outside) {
    UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd || clients_.size() >= most_clients) return -1;
    const int number = fd.get();
    clients_.push_back({std::move(fd), Control(tunnel, outside), {}, 0, false});
    return number;
}

ControlSocket::Served ControlSocket::serve(int number, const Now& now, Actions& actions) {
    const auto client = std::find_if(clients_.begin(), clients_.end(),
                                     [&](const Client& c) { return c.fd.get() == number; });
    if (client == clients_.end()) return {};
    bool good = true;
    // Nothing more is read before our answer is taken: a client cannot make us keep many.
    if (client->answer.empty() && !client->ended) {
        SecretString text(read_bytes, '\0');
        const ssize_t count = ::read(number, text.data(), text.size());
        if (count > 0) {
            good = client->control.feed({text.data(), static_cast<std::size_t>(count)},
                                        client->answer, now, actions);
        } else if (count == 0) {
            client->ended = true;
            client->control.finish(client->answer, now, actions);
        } else if (errno != EAGAIN && errno != EINTR) {
            good = false;
        }
    }
    good = good && flush(*client);
    if (!good || (client->ended && client->answer.empty())) {
        clients_.erase(client);
        return {};
    }
    return {true, !client->answer.empty()};
}

/// False if the client is gone.
bool ControlSocket::flush(Client& client) {
    while (client.sent < client.answer.size()) {
        const ssize_t count = ::send(client.fd.get(), client.answer.data() + client.sent,
                                     client.answer.size() - client.sent, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        client.sent += static_cast<std::size_t>(count);
    }
    client.answer = SecretString();
    client.sent = 0;
    return true;
}

} // namespace wgkit::engine
