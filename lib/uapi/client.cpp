#include "uapi/client.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "uapi/answer.hpp"
#include "uapi/socket_path.hpp"
#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"

namespace wgkit::uapi {

namespace {

constexpr std::size_t read_bytes = 65536;
constexpr timeval patience{20, 0}; ///< for an engine that hangs

/// A connection to a socket; an empty descriptor and errno if that fails.
UniqueFd connect_to(const std::string& path) {
    const auto address = address_of(path);
    if (!address) {
        errno = ENAMETOOLONG;
        return {};
    }
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return {};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
        return {};
    return fd;
}

Error failed(const std::string& path) {
    if (errno == EAGAIN)
        return {
            Errc::system, fmt::format("{}: no answer in {} seconds", path, patience.tv_sec), {}};
    Error error = errno_error(fmt::format("cannot ask {}", path));
    if (error.code == Errc::permission)
        error.hint = "the socket is its owner's alone, mostly root's";
    return error;
}

Error in_answer(const std::string& path, const Error& error) {
    return {error.code, fmt::format("{}: {}", path, error.message), error.hint};
}

struct CloseFolder {
    void operator()(DIR* open) const { ::closedir(open); }
};

} // namespace

Result<std::vector<std::string>> list_devices() {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, CloseFolder> open(::opendir(folder));
    if (!open) {
        if (errno == ENOENT) return names;
        return errno_error(folder);
    }
    while (const dirent* entry = ::readdir(open.get())) {
        const std::string_view file = entry->d_name;
        if (file.size() <= suffix.size() || !file.ends_with(suffix)) continue;
        std::string name(file.substr(0, file.size() - suffix.size()));
        if (connect_to(path_of(name))) names.push_back(std::move(name));
    }
    return names;
}

Result<std::optional<Device>> read_device(const std::string& name) {
    const std::string path = path_of(name);
    const UniqueFd fd = connect_to(path);
    if (!fd) {
        if (errno == ENOENT || errno == ECONNREFUSED || errno == ENAMETOOLONG)
            return std::optional<Device>();
        return failed(path);
    }
    constexpr std::string_view request = "get=1\n\n";
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL)
        != static_cast<ssize_t>(request.size()))
        return failed(path);
    Answer answer(name);
    SecretString part(read_bytes, '\0');
    while (!answer.is_complete()) {
        const auto count = ::recv(fd.get(), part.data(), part.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed(path);
        if (count == 0)
            return Error{Errc::invalid, fmt::format("{}: the answer breaks off", path), {}};
        if (auto good = answer.feed({part.data(), static_cast<std::size_t>(count)}); !good)
            return in_answer(path, good.error());
    }
    return std::optional<Device>(answer.take());
}

} // namespace wgkit::uapi
