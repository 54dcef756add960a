// A script around iptables-restore --noflush: a declared chain of our own is emptied and filled
// again in one step; the way into it is put first in the built-in chain unless it is there already.
#include <fmt/format.h>

#include "fw/emitters.hpp"
#include "fw/iptables_rules.hpp"
#include "wgkit/version.hpp"

namespace wgkit::fw {

namespace {

/// Every chain is declared, so that one that has become empty is emptied, too.
std::string tables(const Ruleset& ruleset, Family family) {
    const auto places = chain_places(ruleset.interface);
    auto chains = chains_of(ruleset, family);
    std::string text;
    for (const char* table : {"filter", "nat"}) {
        std::string rules;
        text += fmt::format("*{}\n", table);
        for (const auto& place : places) {
            if (place.table != table) continue;
            text += fmt::format(":{} - [0:0]\n", place.chain);
            for (const auto& line : chains[place.chain]) rules += line + "\n";
        }
        text += rules + "COMMIT\n";
    }
    return text;
}

std::string header(const std::string& interface, std::string_view what) {
    return fmt::format("#!/bin/sh\n# {} {}, for iptables; written by wgkit {}.\n"
                       "# Run it as root, as often as you like: it replaces what it wrote before.\n"
                       "set -eu\n\ninterface={}\n",
                       what, interface, version, interface);
}

constexpr std::string_view install = R"sh(
for family in "" 6; do
  "rules$family" | "ip${family}tables-restore" -w --noflush --test
done
for family in "" 6; do
  "rules$family" | "ip${family}tables-restore" -w --noflush
  while read -r table builtin chain; do
    "ip${family}tables" -w -t "$table" -C "$builtin" -j "$chain" 2>/dev/null ||
      "ip${family}tables" -w -t "$table" -I "$builtin" -j "$chain"
  done <<END
)sh";

constexpr std::string_view removal = R"sh(
for family in "" 6; do
  while read -r table builtin chain; do
    "ip${family}tables" -w -t "$table" -n -L "$chain" >/dev/null 2>&1 || continue
    while [ "$builtin" != - ] && "ip${family}tables" -w -t "$table" -D "$builtin" -j "$chain" 2>/dev/null; do :; done
    "ip${family}tables" -w -t "$table" -F "$chain"
    "ip${family}tables" -w -t "$table" -X "$chain"
  done <<END
)sh";

/// "TABLE BUILTIN CHAIN" for one of these loops, and its end.
std::string ways_for_shell(bool inner) {
    std::string text;
    for (const auto& place : chain_places("$interface"))
        if (inner || !place.builtin.empty())
            text += fmt::format("{} {} {}\n", place.table,
                                place.builtin.empty() ? "-" : place.builtin, place.chain);
    return text + "END\ndone\n";
}

} // namespace

std::string emit_iptables(const Ruleset& ruleset) {
    return fmt::format(
        "{}\nrules() {{\n  cat <<'END'\n{}END\n}}\nrules6() {{\n  cat <<'END'\n{}END\n}}\n{}{}",
        header(ruleset.interface, "The rules of"), tables(ruleset, Family::ipv4),
        tables(ruleset, Family::ipv6), install, ways_for_shell(false));
}

std::string remove_iptables(const std::string& interface) {
    return header(interface, "Removes the rules of") + std::string(removal) + ways_for_shell(true);
}

} // namespace wgkit::fw
