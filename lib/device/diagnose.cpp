// From what was seen of a host to what is wrong with it.
#include <fmt/format.h>

#include <algorithm>

#include "wgkit/doctor.hpp"

namespace wgkit {

namespace {

constexpr std::uint32_t least_ipv6_mtu = 1280;
constexpr std::uint32_t overhead_ipv4 = 60; ///< IPv4, UDP, the protocol
constexpr std::uint32_t overhead_ipv6 = 80;
/// A clock before wgkit existed has not been set: handshakes carry times that must not go back.
constexpr std::int64_t oldest_time = 1'700'000'000;

class Ailments {
  public:
    void add(Ailment ailment) { list_.push_back(std::move(ailment)); }

    std::vector<Ailment> take() {
        std::stable_sort(list_.begin(), list_.end(),
                         [](const Ailment& a, const Ailment& b) { return a.weight < b.weight; });
        return std::move(list_);
    }

  private:
    std::vector<Ailment> list_;
};

void check_engine(Ailments& out, const HostEvidence& host) {
    if (host.has_kernel_wireguard) return;
    if (!host.has_tun)
        out.add({"no-wireguard", Weight::problem, "",
                 "neither the kernel nor an engine can run WireGuard",
                 fmt::format("no module wireguard; /dev/net/tun: {}", host.tun_failure),
                 "modprobe wireguard, or modprobe tun for an engine"});
    else if (!host.has_engine)
        out.add({"no-wireguard", Weight::problem, "",
                 "the kernel has no WireGuard, and no engine is installed",
                 "no module wireguard, no wgkit-tunnel",
                 "modprobe wireguard, or install wgkit-tunnel"});
    else
        out.add({"no-module", Weight::note, "", "interfaces will be run by wgkit-tunnel",
                 "the kernel has no module wireguard", "modprobe wireguard, if it is installed"});
}

void check_clock(Ailments& out, const HostEvidence& host) {
    if (host.now < oldest_time)
        out.add({"clock-not-set", Weight::problem, "",
                 "the clock is not set: peers reject handshakes older than the last",
                 fmt::format("{} seconds since 1970", host.now),
                 "set the time before interfaces come up"});
    else if (host.is_clock_synced == false)
        out.add({"clock-not-synced", Weight::note, "",
                 "nothing keeps the clock: if it goes back, peers reject handshakes",
                 "adjtimex: not synchronized", "run chrony or systemd-timesyncd"});
}

void check_settings(Ailments& out, const HostEvidence& host) {
    for (const auto& setting : host.unset_settings)
        out.add({"setting-not-in-effect", Weight::problem, "",
                 fmt::format("{} is not what its file says", setting.name),
                 fmt::format("{} says {}, the kernel has {}", setting.file, setting.wanted,
                             setting.now),
                 fmt::format("sysctl -p {}", setting.file)});
    for (const auto& file : host.open_files)
        out.add({"open-file", Weight::risk, "", "others can read a file with secrets", file,
                 fmt::format("chmod 600 {}", file)});
}

void check_mtu(Ailments& out, const InterfaceEvidence& one) {
    const auto overhead = one.is_outside_ipv4 ? overhead_ipv4 : overhead_ipv6;
    if (one.path_mtu != 0 && one.mtu + overhead > one.path_mtu)
        out.add({"mtu-too-large", Weight::problem, one.name,
                 "large packets do not fit the way to an endpoint",
                 fmt::format("MTU {}, with {} bytes around it more than the way's {}", one.mtu,
                             overhead, one.path_mtu),
                 fmt::format("MTU = {} in its file", one.path_mtu - overhead_ipv6)});
    if (one.has_ipv6 && one.mtu < least_ipv6_mtu)
        out.add({"mtu-too-small", Weight::problem, one.name, "IPv6 takes an MTU of 1280 or more",
                 fmt::format("MTU {}, and an IPv6 address", one.mtu),
                 "MTU = 1280 in its file, if the way allows it"});
}

void check_routing(Ailments& out, const InterfaceEvidence& one, const HostEvidence& host) {
    if (one.is_full_tunnel && one.rp_filter == 1 && !one.src_valid_mark)
        out.add({"rp-filter", Weight::problem, one.name,
                 "the reverse path filter drops the replies of peers",
                 "full tunnel with rp_filter = 1 and src_valid_mark = 0",
                 "sysctl -w net.ipv4.conf.all.src_valid_mark=1"});
    if (host.has_networkd && !host.keeps_foreign_rules && one.has_rules_to_lose)
        out.add({"rules-to-lose", Weight::risk, one.name,
                 "a restart of systemd-networkd removes the rules of the tunnel",
                 "rules without protocol kernel; ManageForeignRoutingPolicyRules is not off",
                 "wgkit net down and up, or ManageForeignRoutingPolicyRules=no in "
                 "/etc/systemd/networkd.conf"});
    for (const auto& rival : one.rivals)
        out.add({"duplicate-route", Weight::problem, one.name,
                 fmt::format("{} is reached by {}, too", rival.prefix, rival.interface),
                 fmt::format("routes to {} by {} and {}", rival.prefix, one.name, rival.interface),
                 "take the prefix out of AllowedIPs, or remove the other route"});
    if (one.peers > 1 && !host.forwards_ipv4 && !host.forwards_ipv6)
        out.add({"no-forwarding", Weight::note, one.name,
                 "peers reach this host, but not each other through it",
                 "net.ipv4.ip_forward = 0, net.ipv6.conf.all.forwarding = 0",
                 "sysctl -w net.ipv4.ip_forward=1, if it is to forward"});
}

void check_names(Ailments& out, const InterfaceEvidence& one) {
    for (const auto& host : one.unknown_hosts)
        out.add({"unknown-host", Weight::problem, one.name,
                 fmt::format("{} has no address now", host), "the system's resolver",
                 "check the name, and the name servers in /etc/resolv.conf"});
    if (one.wants_dns && !one.has_dns_program)
        out.add({"no-resolvconf", Weight::problem, one.name, "its name servers cannot be set",
                 "its file has DNS; neither resolvconf nor resolvectl is installed",
                 "apt install openresolv, or systemd-resolved"});
}

} // namespace

std::vector<Ailment> diagnose(const HostEvidence& host,
                              const std::vector<InterfaceEvidence>& interfaces) {
    Ailments out;
    check_engine(out, host);
    check_clock(out, host);
    check_settings(out, host);
    for (const auto& one : interfaces) {
        if (!one.is_up)
            out.add({"not-up", Weight::problem, one.name, "the interface is down",
                     "its flags lack UP", fmt::format("ip link set {} up", one.name)});
        if (!one.has_key)
            out.add({"no-private-key", Weight::problem, one.name, "it has no private key",
                     "wg show: private key (none)", "PrivateKey in its file"});
        check_mtu(out, one);
        check_routing(out, one, host);
        check_names(out, one);
    }
    return out.take();
}

} // namespace wgkit
