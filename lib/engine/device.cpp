#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include <array>

#include "engine/loop.hpp"
#include "engine/quirks.hpp"
#include "util/errno_error.hpp"
#include "wgkit/tunnel.hpp"

namespace wgkit {

namespace {

constexpr std::size_t longest_name = 15; // IFNAMSIZ - 1

// The kernel's rules for names, and what may stand in a path.
bool is_interface_name(const std::string& name) {
    return !name.empty() && name.size() <= longest_name && name != "." && name != ".."
           && name.find_first_of("/: \t\n\r\v\f%") == std::string::npos;
}

Error no_interface_name(std::string name) {
    for (char& c : name)
        if (c < ' ' || c > '~') c = '?';
    return {Errc::invalid, fmt::format("'{}' is no name for an interface", name),
            "1 to 15 characters without '/', ':', '%' and white space"};
}

/// The offloads that were asked for, without those that do harm on this kernel.
TunnelOffloads without_quirks(const TunnelOffloads& wanted,
                              const std::function<void(LogLevel, const std::string&)>& log) {
    utsname system{};
    if (::uname(&system) != 0) return wanted;
    const engine::Quirks quirks = engine::quirks_of(system.release);
    if (!quirks.reason.empty())
        log(LogLevel::verbose, fmt::format("Linux {}: {}", system.release, quirks.reason));
    return engine::both(wanted, quirks.works);
}

} // namespace

struct TunnelDevice::Parts {
    std::string interface;
    engine::Loop loop;
};

TunnelDevice::TunnelDevice(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TunnelDevice::TunnelDevice(TunnelDevice&&) noexcept = default;
TunnelDevice& TunnelDevice::operator=(TunnelDevice&&) noexcept = default;
TunnelDevice::~TunnelDevice() = default;

Result<TunnelDevice> TunnelDevice::open(TunnelOptions options) {
    if (!is_interface_name(options.interface)) return no_interface_name(options.interface);
    auto ciphers = crypto::fastest_cipher(options.cipher);
    if (!ciphers)
        return Error{Errc::invalid, fmt::format("no cipher '{}' here", options.cipher),
                     "known are ipsec-mb, openssl and libsodium; the first needs AVX"};

    const auto level = options.log_level;
    const auto log = [level, sink = std::move(options.log)](LogLevel at, const std::string& text) {
        if (sink && at <= level) sink(at, text);
    };
    if (options.heed_quirks) options.offloads = without_quirks(options.offloads, log);
    const engine::TunOptions tun_options{options.offloads.tun_segmentation,
                                         options.offloads.tun_coalescing};
    auto tun = options.tun_fd >= 0 ? engine::Tun::adopt(UniqueFd(options.tun_fd), tun_options)
                                   : engine::Tun::create(options.interface, tun_options);
    if (!tun) return tun.error();
    auto control = options.control_fd >= 0
                       ? engine::ControlSocket::adopt(UniqueFd(options.control_fd), tun->name())
                       : engine::ControlSocket::create(tun->name());
    if (!control) return control.error();

    const engine::UdpOptions udp_options{options.offloads.udp_segmentation,
                                         options.offloads.udp_coalescing};
    log(LogLevel::verbose, fmt::format("packets are sealed by {}", ciphers->name()));
    std::string name = tun->name();
    return TunnelDevice(std::unique_ptr<Parts>(
        new Parts{std::move(name), engine::Loop(std::move(*tun), std::move(*control),
                                                std::move(ciphers), udp_options, log)}));
}

const std::string& TunnelDevice::interface() const { return parts_->interface; }

TunnelEnd TunnelDevice::run(int stop_fd) { return parts_->loop.run(stop_fd); }

Result<std::string> tunnel_statistics(const std::string& interface) {
    const std::string path = fmt::format("{}/{}.sock", engine::ControlSocket::folder, interface);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!is_interface_name(interface) || path.size() >= sizeof address.sun_path)
        return no_interface_name(interface);
    path.copy(address.sun_path, path.size());
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return errno_error(fmt::format("cannot ask {}", path));
    constexpr std::string_view request = "wgkit_statistics=1\n\n";
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0)
        return errno_error(fmt::format("cannot ask {}", path));
    ::shutdown(fd.get(), SHUT_WR);
    std::string answer;
    std::array<char, 4096> part;
    ssize_t count = 0;
    while ((count = ::read(fd.get(), part.data(), part.size())) > 0)
        answer.append(part.data(), static_cast<std::size_t>(count));
    constexpr std::string_view good = "errno=0\n\n";
    if (!answer.ends_with(good))
        return Error{Errc::invalid, fmt::format("{} is not served by wgkit-tunnel", path), {}};
    answer.resize(answer.size() - good.size());
    return answer;
}

} // namespace wgkit
