#include "device/packet_filter.hpp"

#include <fmt/format.h>

#include "device/command.hpp"

namespace wgkit {

namespace {

const char* nft_family(Family family) { return family == Family::ipv4 ? "ip" : "ip6"; }

} // namespace

std::string filter_table(const std::string& interface) { return "wg-quick-" + interface; }

std::string nft_text(const HostFilter& filter, const std::string& interface, bool remove) {
    const std::string table =
        fmt::format("{} {}", nft_family(filter.family), filter_table(interface));
    // Declaring it first makes the delete succeed whether or not it was there.
    std::string text = fmt::format("add table {0}\ndelete table {0}\n", table);
    if (remove) return text;
    text += fmt::format("add table {}\n", table);
    const auto chain = [&](const char* name, const char* hook, int priority) {
        text += fmt::format("add chain {} {} {{ type filter hook {} priority {}; }}\n", table, name,
                            hook, priority);
    };
    chain("preraw", "prerouting", -300);
    chain("premangle", "prerouting", -150);
    chain("postmangle", "postrouting", -150);
    for (const auto& address : filter.addresses)
        text += fmt::format(
            "add rule {} preraw iifname != \"{}\" {} daddr {} fib saddr type != local drop\n",
            table, interface, nft_family(filter.family), to_string(address));
    text += fmt::format("add rule {} postmangle meta l4proto udp mark {} ct mark set mark\n", table,
                        filter.mark);
    text += fmt::format("add rule {} premangle meta l4proto udp meta mark set ct mark\n", table);
    return text;
}

std::string iptables_text(const HostFilter& filter, const std::string& interface, bool remove) {
    const char action = remove ? 'D' : 'I';
    const std::string comment =
        fmt::format("-m comment --comment \"wg-quick(8) rule for {}\"", interface);
    std::string text = "*raw\n";
    for (const auto& address : filter.addresses)
        text +=
            fmt::format("-{} PREROUTING ! -i {} -d {} -m addrtype ! --src-type LOCAL -j DROP {}\n",
                        action, interface, to_string(address), comment);
    text += fmt::format("COMMIT\n*mangle\n"
                        "-{0} POSTROUTING -m mark --mark {1} -p udp -j CONNMARK --save-mark {2}\n"
                        "-{0} PREROUTING -p udp -j CONNMARK --restore-mark {2}\nCOMMIT\n",
                        action, filter.mark, comment);
    return text;
}

Result<void> apply_filter(const HostFilterChange& change, const std::string& interface,
                          bool remove) {
    if (has_program("nft"))
        return do_command({"nft", "-f", "-"},
                          {.input = nft_text(change.filter, interface, remove)});
    const char* restore =
        change.filter.family == Family::ipv4 ? "iptables-restore" : "ip6tables-restore";
    if (!has_program(restore))
        return Error{Errc::not_found, "neither nft nor iptables-restore is installed",
                     "a full tunnel needs one of them; Table = off does without"};
    if (change.before) {
        const std::string old = iptables_text(*change.before, interface, true);
        if (auto removed = do_command({restore, "-n"}, {.input = old}); !removed) return removed;
    }
    return do_command({restore, "-n"}, {.input = iptables_text(change.filter, interface, remove)});
}

} // namespace wgkit
