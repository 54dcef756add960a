#include "rotate/filter.hpp"

#include <fmt/format.h>

#include <string_view>

#include "device/command.hpp"
#include "device/packet_filter.hpp"
#include "netlink/nft_tables.hpp"
#include "util/ascii.hpp"

namespace wgkit::rotate {

namespace {

std::string chain_of(Family family, const State& state) {
    return fmt::format("{} {} preraw", family == Family::ipv4 ? "ip" : "ip6",
                       filter_table(state.interface));
}

std::string accepting(const State& state) {
    return fmt::format("iifname \"{}\" accept", state.second_name);
}

Result<std::string> list_chain(const std::string& chain) {
    auto listed = run_command({"nft", "-a", "list", "ruleset"}, {.keeps_output = true});
    if (!listed) return listed.error();
    const auto words = ascii::split(chain, ' ');
    const auto table = listed->output.find(fmt::format("table {} {} {{", words[0], words[1]));
    if (table == std::string::npos) return std::string();
    return listed->output.substr(table, listed->output.find("\n}", table) - table);
}

/// The handles of the rules that we have added.
std::vector<std::string> handles(std::string_view text, const State& state) {
    constexpr std::string_view mark = "# handle ";
    std::vector<std::string> out;
    for (const auto line : ascii::split(text, '\n'))
        if (const auto at = line.find(mark);
            at != line.npos && line.find(accepting(state)) != line.npos)
            out.emplace_back(line.substr(at + mark.size()));
    return out;
}

std::size_t count(std::string_view text, std::string_view word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + word.size()))
        ++found;
    return found;
}

/// The rules of the kernel as text; wg-quick's table is ours to see to.
std::string all_rules(const State& state) {
    std::string text;
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"nft", "list", "ruleset"},
          {"iptables-save"},
          {"ip6tables-save"}})
        if (has_program(command.front()))
            if (auto listed = run_command(command, {.keeps_output = true, .silent = true}))
                text += listed->output;
    const auto own = fmt::format(" {} {{", filter_table(state.interface));
    for (auto at = text.find(own); at != text.npos; at = text.find(own, at))
        text.erase(at, text.find("\n}", at) - at);
    return text;
}

} // namespace

Result<void> open_filter(const State& state) {
    const auto tables = netlink::find_nft_tables(filter_table(state.interface));
    if (!tables) return tables.error();
    if (state.second.fwmark.value_or(0) != 0 && !has_program("nft")
        && all_rules(state).find("wg-quick(8) rule for " + state.interface) != std::string::npos)
        return Error{
            Errc::conflict,
            fmt::format("the filter of {}'s full tunnel is one of iptables, and would drop "
                        "what comes in on {}",
                        state.interface, state.second_name),
            "install nft, and bring the interface up with it"};
    for (const auto family : *tables) {
        const std::string chain = chain_of(family, state);
        const auto present = list_chain(chain);
        if (!present) return present.error();
        if (!handles(*present, state).empty()) continue;
        const std::string rule = fmt::format("insert rule {} {}\n", chain, accepting(state));
        if (auto done = do_command({"nft", "-f", "-"}, {.input = rule}); !done) return done;
    }
    return {};
}

void close_filter(const State& state) {
    const auto tables = netlink::find_nft_tables(filter_table(state.interface));
    if (!tables) return; // what is left lets a device through that is not there
    for (const auto family : *tables) {
        const std::string chain = chain_of(family, state);
        const auto present = list_chain(chain);
        if (!present) continue;
        for (const auto& handle : handles(*present, state))
            (void)do_command({"nft", "-f", "-"},
                             {.input = fmt::format("delete rule {} handle {}\n", chain, handle)});
    }
}

std::optional<Error> doubt_firewall(const State& state, std::uint16_t interface_port) {
    const std::string rules = all_rules(state);
    const auto names = [&rules](const std::string& name) {
        return count(rules, fmt::format("\"{}\"", name)) + count(rules, fmt::format("i {} ", name))
               + count(rules, fmt::format("o {} ", name));
    };
    const auto ports = [&rules](std::uint16_t port) {
        return count(rules, fmt::format("dport {}", port))
               + count(rules, fmt::format(", {} ", port));
    };
    const std::uint16_t second_port = state.second.listen_port.value_or(0);
    const bool by_name = names(state.interface) != 0 && names(state.second_name) == 0
                         && count(rules, fmt::format("\"{}*\"", state.interface)) == 0;
    const bool by_port =
        interface_port != 0 && ports(interface_port) != 0 && ports(second_port) == 0;
    if (!by_name && !by_port) return std::nullopt;
    return Error{Errc::conflict,
                 fmt::format("the firewall has rules for {}, and none for {}",
                             by_name ? state.interface : fmt::format("UDP port {}", interface_port),
                             by_name ? state.second_name : fmt::format("port {}", second_port)),
                 fmt::format("let {} and UDP port {} through as {} and its port, else packets are "
                             "lost after the switch",
                             state.second_name, second_port, state.interface)};
}

} // namespace wgkit::rotate
