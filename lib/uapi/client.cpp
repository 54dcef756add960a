#include "uapi/client.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "uapi/answer.hpp"
#include "uapi/request.hpp"
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

namespace {

/// A connection; an empty descriptor if no engine serves such an interface.
Result<UniqueFd> open_socket(const std::string& name) {
    const std::string path = path_of(name);
    UniqueFd fd = connect_to(path);
    if (!fd && errno != ENOENT && errno != ECONNREFUSED && errno != ENAMETOOLONG)
        return failed(path);
    return fd;
}

/// Sends a request and reads its answer to the end.
Result<void> ask(int fd, std::string_view request, const std::string& path, Answer& answer) {
    while (!request.empty()) {
        const auto count = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        // Some engines answer to a bad line and close, before they have read all.
        if (count < 0 && errno == EPIPE) break;
        if (count < 0) return failed(path);
        request.remove_prefix(static_cast<std::size_t>(count));
    }
    SecretString part(read_bytes, '\0');
    while (!answer.is_complete()) {
        const auto count = ::recv(fd, part.data(), part.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed(path);
        if (count == 0)
            return Error{Errc::invalid, fmt::format("{}: the answer breaks off", path), {}};
        if (auto good = answer.feed({part.data(), static_cast<std::size_t>(count)}); !good)
            return in_answer(path, good.error());
    }
    return {};
}

Error gone(const std::string& name) {
    return {Errc::not_found, fmt::format("the engine of {} is gone", name), {}};
}

} // namespace

Result<std::optional<Device>> read_device(const std::string& name) {
    const auto fd = open_socket(name);
    if (!fd) return fd.error();
    if (!*fd) return std::optional<Device>();
    Answer answer(name);
    if (auto good = ask(fd->get(), "get=1\n\n", path_of(name), answer); !good) return good.error();
    return std::optional<Device>(answer.take());
}

Result<bool> is_served(const std::string& name) {
    const auto fd = open_socket(name);
    if (!fd) return fd.error();
    return static_cast<bool>(*fd);
}

Result<Device> Backend::get() {
    auto device = read_device(name_);
    if (!device) return device.error();
    if (!*device) return gone(name_);
    return **std::move(device);
}

Result<int> Backend::send(const DeviceChange* fields, std::span<const PeerStep> steps) {
    const auto fd = open_socket(name_);
    if (!fd) return fd.error();
    if (!*fd) return gone(name_);
    Answer answer(name_);
    const auto good = ask(fd->get(), set_request(fields, steps), path_of(name_), answer);
    if (!good && answer.refusal() == 0) return good.error();
    return answer.refusal();
}

} // namespace wgkit::uapi
