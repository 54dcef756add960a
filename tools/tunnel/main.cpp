// wgkit-tunnel: a WireGuard device in userspace, with the command line of wireguard-go.
#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>

#include "common/app.hpp"
#include "common/service.hpp"
#include "tunnel/daemon.hpp"
#include "tunnel/statistics.hpp"
#include "wgkit/tunnel.hpp"

namespace {

using namespace wgkit;

struct Options {
    std::string interface;
    bool foreground = false;
    bool statistics = false;
    bool json = false;
    TunnelOptions tunnel;
};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// A descriptor that our parent left open for us; nothing if the variable is not set.
Result<int> inherited(const char* name) {
    const std::string text = environment(name);
    if (text.empty()) return -1;
    int fd = -1;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), fd);
    if (failed != std::errc{} || end != text.data() + text.size() || fd < 0)
        return Error{Errc::invalid, fmt::format("{}={} is no file descriptor", name, text), {}};
    return fd;
}

LogLevel log_level() {
    const std::string text = environment("LOG_LEVEL");
    if (text == "verbose" || text == "debug") return LogLevel::verbose;
    return text == "silent" ? LogLevel::silent : LogLevel::error;
}

int serve(Options& options, const tool::Report& report) {
    auto& tunnel = options.tunnel;
    tunnel.interface = options.interface;
    tunnel.log_level = log_level();
    const auto log = std::make_shared<tool::DaemonLog>(options.interface);
    tunnel.log = [log](LogLevel level, const std::string& text) {
        log->write(level == LogLevel::error, text);
    };
    if (tunnel.cipher.empty()) tunnel.cipher = environment("WGKIT_CIPHER");
    // Beside the options, for those who cannot change the command line.
    const auto is_set = [](const char* name) { return environment(name) == "1"; };
    if (is_set("WGKIT_NO_GSO"))
        tunnel.offloads.tun_segmentation = tunnel.offloads.udp_segmentation = false;
    if (is_set("WGKIT_NO_GRO"))
        tunnel.offloads.tun_coalescing = tunnel.offloads.udp_coalescing = false;
    tunnel.heed_quirks = !is_set("WGKIT_NO_QUIRKS");
    const auto tun_fd = inherited("WG_TUN_FD");
    if (!tun_fd) return report.error(tun_fd.error());
    const auto control_fd = inherited("WG_UAPI_FD");
    if (!control_fd) return report.error(control_fd.error());
    tunnel.tun_fd = *tun_fd;
    tunnel.control_fd = *control_fd;

    const auto signals = tool::catch_end_signals();
    if (!signals) return report.error(signals.error());
    std::signal(SIGPIPE, SIG_IGN);
    auto device = TunnelDevice::open(std::move(tunnel));
    if (!device) return report.error(device.error());
    // Everything is there, so that whoever waits for us can go on.
    if (!options.foreground && environment("WG_PROCESS_FOREGROUND") != "1") {
        if (auto gone = tool::go_to_background(); !gone) return report.error(gone.error());
        log->use_syslog();
    }
    tool::protect_memory();
    tool::ask_for_short_turns();
    if (auto dropped = tool::drop_capabilities(); !dropped) return report.error(dropped.error());
    tool::notify_service_manager("READY=1");
    const TunnelEnd end = device->run(*signals);
    tool::notify_service_manager("STOPPING=1");
    return end == TunnelEnd::failed ? tool::exit_failed : tool::exit_ok;
}

tool::Action setup(tool::Arguments app) {
    auto options = std::make_shared<Options>();
    app.add_option("IFACE", options->interface, "Name of the network device to create")
        .type_name("")
        .required();
    app.add_flag("-f,--foreground", options->foreground, "Do not go to the background");
    auto statistics = app.add_flag("--stats", options->statistics,
                                   "Print the counters of a running tunnel instead");
    app.add_flag("--json", options->json, "Print them as JSON").needs(statistics);
    auto& offloads = options->tunnel.offloads;
    app.add_flag("!--no-tun-segmentation", offloads.tun_segmentation,
                 "Take no packets larger than the MTU from the device");
    app.add_flag("!--no-tun-coalescing", offloads.tun_coalescing,
                 "Give no packets larger than the MTU to the device");
    app.add_flag("!--no-udp-segmentation", offloads.udp_segmentation, "Send datagrams one by one");
    app.add_flag("!--no-udp-coalescing", offloads.udp_coalescing,
                 "Do not let the kernel join received datagrams");
    app.add_option("--cipher", options->tunnel.cipher,
                   "Library that seals packets: ipsec-mb, openssl or libsodium; default: the "
                   "fastest on this processor")
        .type_name("NAME");
    return [options](const tool::Report& report) {
        if (options->statistics)
            return tool::print_statistics(options->interface, options->json, report);
        return serve(*options, report);
    };
}

constexpr std::array commands{
    tool::Command{"", "Run a WireGuard device in userspace", setup},
};

} // namespace

int main(int argc, char** argv) {
    return wgkit::tool::run("wgkit-tunnel", "Run a WireGuard device in userspace", commands, argc,
                            argv);
}
