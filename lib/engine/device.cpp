#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <array>

#include "engine/loop.hpp"
#include "engine/quirks.hpp"
#include "uapi/socket_path.hpp"
#include "util/errno_error.hpp"
#include "util/interface_name.hpp"
#include "wgkit/tunnel.hpp"

namespace wgkit {

namespace {

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
    const std::string path = uapi::path_of(interface);
    const auto address = uapi::address_of(path);
    if (!is_interface_name(interface) || !address) return no_interface_name(interface);
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
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
