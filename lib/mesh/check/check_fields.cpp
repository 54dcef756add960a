// Single fields of a node whose value is well formed and still unlikely to be what was meant.
#include <fmt/format.h>

#include <algorithm>

#include "mesh/check/checks.hpp"
#include "util/dns_entry.hpp"

namespace wgkit::mesh {

namespace {

/// The longest interval that still keeps most NAT mappings of UDP alive.
constexpr std::uint16_t longest_keepalive = 90;

void check_keepalive(std::uint16_t seconds, Mark mark, Diagnostics& d) {
    if (seconds <= longest_keepalive) return;
    d.warning(
         "keepalive-too-long", mark,
         fmt::format("with a keepalive of {} s many NATs forget the mapping in between", seconds))
        .hint = "25 suits nearly all; `off` if no NAT is in the way";
}

void check_dns(const Node& node, Diagnostics& d) {
    if (node.dns.empty() || node.format.value != Format::wg_quick) return;
    for (const auto& entry : node.dns)
        if (is_dns_server(entry.value)) return;
    d.warning("search-only-dns", node.dns.front().mark,
              "without the address of a server wg-quick sets no DNS at all")
        .hint = "add the address of a DNS server before the search domains";
}

bool has_hooks(const Hooks& hooks) {
    return !hooks.pre_up.empty() || !hooks.post_up.empty() || !hooks.pre_down.empty()
           || !hooks.post_down.empty();
}

void check_format(const Node& node, Diagnostics& d) {
    const Format format = node.format.value; // no binding: clang 14 cannot capture one
    const Mark mark = node.format.mark;
    const auto cannot = [&](Mark field, std::string_view what, std::string_view able) {
        auto& found =
            d.error("format-cannot", field, fmt::format("{} has no {}", to_string(format), what));
        found.notes.push_back({{}, mark, "the format is chosen here"});
        found.hint = fmt::format("use `format: {}` for this node", able);
    };
    if (format != Format::wg_quick && has_hooks(node.hooks))
        cannot(node.marks.hooks, "hooks", "wg-quick");
    if (node.exit && (format == Format::networkmanager || format == Format::netplan))
        cannot(node.marks.exit, "place for an exit's firewall rules", "networkd");
}

} // namespace

void check_fields(const Network& network, Date today, Diagnostics& diagnostics) {
    for (const auto& node : network.nodes) {
        if (!node.disabled && !is_active(node, today))
            diagnostics
                .warning("expired", node.expires->mark,
                         fmt::format("expired on {}, and is left out of the mesh",
                                     to_string(node.expires->value)))
                .hint = "remove the node, or give it a later day";
        if (!is_active(node, today)) continue;
        if (node.keepalive)
            check_keepalive(node.keepalive->value, node.keepalive->mark, diagnostics);
        for (const auto& peer : node.peers)
            if (peer.keepalive) check_keepalive(*peer.keepalive, peer.keepalive_mark, diagnostics);
        check_dns(node, diagnostics);
        if (node.managed) check_format(node, diagnostics);
        if (node.mtu && node.mtu->value < least_ipv6_mtu && network.ipv6)
            diagnostics
                .warning(
                    "mtu-below-ipv6", node.mtu->mark,
                    fmt::format("with an MTU of {} the interface carries no IPv6", node.mtu->value))
                .hint = "IPv6 needs 1280 or more";
    }
}

} // namespace wgkit::mesh
