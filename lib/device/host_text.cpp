// Steps as the commands that people know.
#include <fmt/format.h>

#include "device/packet_filter.hpp"
#include "wgkit/host.hpp"

namespace wgkit {

namespace {

const char* option_of(Family family) { return family == Family::ipv4 ? "-4" : "-6"; }

struct ToText {
    const std::string& interface;
    bool remove;

    std::string operator()(const HostMtu& step) const {
        return fmt::format("ip link set mtu {} dev {}", step.mtu, interface);
    }
    std::string operator()(const HostUp&) const {
        return fmt::format("ip link set {} dev {}", remove ? "down" : "up", interface);
    }
    std::string operator()(const Prefix& address) const {
        return fmt::format("ip {} address {} {} dev {}", option_of(address.address.family()),
                           remove ? "delete" : "add", to_string(address), interface);
    }
    std::string operator()(const HostRoute& route) const {
        std::string text =
            fmt::format("ip {} route {} {} dev {}", option_of(route.destination.address.family()),
                        remove ? "delete" : "add", to_string(route.destination), interface);
        if (route.table != main_routing_table) text += fmt::format(" table {}", route.table);
        return text;
    }
    std::string operator()(const HostSrcValidMark&) const {
        return fmt::format("sysctl -w net.ipv4.conf.all.src_valid_mark={}", remove ? 0 : 1);
    }
    std::string operator()(const HostRule& rule) const {
        std::string text =
            fmt::format("ip {} rule {}", option_of(rule.family), remove ? "delete" : "add");
        if (rule.unless_mark) text += fmt::format(" not fwmark {}", *rule.unless_mark);
        if (rule.table == main_routing_table)
            text += " table main";
        else
            text += fmt::format(" table {}", rule.table);
        if (rule.no_default_routes) text += " suppress_prefixlength 0";
        if (rule.priority != 0) text += fmt::format(" priority {}", rule.priority);
        if (!remove && rule.protocol == 2) text += " protocol kernel";
        return text;
    }
    std::string operator()(const HostFilterChange& step) const {
        return fmt::format("nft {} table {} {}", remove ? "delete" : "add",
                           step.filter.family == Family::ipv4 ? "ip" : "ip6",
                           filter_table(interface));
    }
};

} // namespace

std::string to_string(const HostStep& step, const std::string& interface) {
    return std::visit(ToText{interface, step.remove}, step.what);
}

} // namespace wgkit
