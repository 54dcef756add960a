#include "fw/iptables_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "fw/iptables_rules.hpp"
#include "util/ascii.hpp"
#include "util/interface_name.hpp"

namespace wgkit::fw {

namespace {

using Lines = std::vector<std::string>;

/// A listing by table: declared chains, and the lines of each.
struct SavedTable {
    std::string name;
    std::map<std::string, Lines, std::less<>> chains;
};

std::vector<SavedTable> parse_saved(std::string_view text) {
    std::vector<SavedTable> tables;
    for (const auto line : ascii::split(text, '\n')) {
        if (line.starts_with('*')) {
            tables.push_back({std::string(line.substr(1)), {}});
        } else if (tables.empty()) {
            continue;
        } else if (line.starts_with(':')) {
            tables.back().chains[std::string(line.substr(1, line.find(' ') - 1))];
        } else if (line.starts_with("-A ")) {
            const auto rest = line.substr(3);
            tables.back().chains[std::string(rest.substr(0, rest.find(' ')))].emplace_back(line);
        }
    }
    return tables;
}

const Lines* lines_of(const std::vector<SavedTable>& tables, std::string_view table,
                      std::string_view chain) {
    for (const auto& one : tables)
        if (one.name == table)
            if (const auto found = one.chains.find(chain); found != one.chains.end())
                return &found->second;
    return nullptr;
}

std::string jump(const ChainWay& way) { return fmt::format("-A {} -j {}", way.from, way.chain); }

bool is_jump_to_ours(std::string_view line) {
    const auto at = line.find(" -j wgkit-");
    return at != line.npos && line.find(' ', at + 4) == line.npos;
}

/// Whether a rule of others accepts packets that may be of this interface.
bool accepts_for(std::string_view line, const std::string& interface) {
    if (!line.ends_with(" -j ACCEPT")) return false;
    if (line.find("state ") != line.npos && line.find("NEW") == line.npos) return false;
    const auto at = line.find(" -i ");
    if (at == line.npos) return true;
    const bool is_negated = at >= 2 && line.substr(at - 2, 2) == " !";
    const auto name = line.substr(at + 4, line.find(' ', at + 4) - at - 4);
    return is_negated || name == interface || name == second_interface(interface);
}

/// Where the way stands: in front means that nothing but other ways of ours is before it.
struct WayState {
    std::size_t count = 0;
    bool is_in_front = false;
};

WayState state_of(const std::vector<SavedTable>& present, const ChainWay& way) {
    WayState state;
    const Lines* lines = lines_of(present, way.table, way.from);
    if (lines == nullptr) return state;
    const std::string line = jump(way);
    state.count = static_cast<std::size_t>(std::count(lines->begin(), lines->end(), line));
    for (const auto& one : *lines) {
        if (one == line) state.is_in_front = true;
        if (!is_jump_to_ours(one) || one == line) break;
    }
    return state;
}

} // namespace

std::vector<ChainWay> chain_ways(const std::string& interface, Backend backend, Family family,
                                 bool docker) {
    std::vector<ChainWay> ways;
    const char* number = family == Family::ipv4 ? "" : "6";
    const bool ufw = backend == Backend::ufw;
    const auto from = [&](const char* builtin, const char* of_ufw) {
        return ufw ? fmt::format("ufw{}-before-{}", number, of_ufw) : std::string(builtin);
    };
    for (const auto& place : chain_places(interface)) {
        if (place.table == "nat" && ufw) continue;
        const bool forwards = place.builtin == "FORWARD";
        ways.push_back({place.table,
                        forwards                   ? from("FORWARD", "forward")
                        : place.builtin == "INPUT" ? from("INPUT", "input")
                                                   : place.builtin,
                        place.chain});
        if (forwards && docker) ways.push_back({"filter", "DOCKER-USER", place.chain});
    }
    return ways;
}

namespace {

/// One table after the other, each with the chains that have lines; `after` follows those.
std::string write_tables(const std::vector<ChainWay>& ways,
                         const std::function<const Lines*(const ChainWay&)>& lines_of_chain,
                         const std::function<Lines(const ChainWay&)>& after) {
    std::string text;
    for (const char* table : {"filter", "nat"}) {
        std::string declared;
        std::string rules;
        std::string last;
        Lines done;
        for (const auto& way : ways) {
            if (way.table != table) continue;
            for (const auto& line : after(way)) last += line + "\n";
            const Lines* lines = lines_of_chain(way);
            if (lines == nullptr || lines->empty()
                || std::find(done.begin(), done.end(), way.chain) != done.end())
                continue;
            done.push_back(way.chain);
            declared += fmt::format(":{} - [0:0]\n", way.chain);
            for (const auto& line : *lines) rules += line + "\n";
        }
        if (declared.empty() && last.empty()) continue;
        text += fmt::format("*{}\n{}{}{}COMMIT\n", table, declared, rules, last);
    }
    return text;
}

} // namespace

std::string chains_text(const Ruleset& ruleset, Backend backend, Family family, bool docker) {
    const auto chains = chains_of(ruleset, family);
    return write_tables(
        chain_ways(ruleset.interface, backend, family, docker),
        [&](const ChainWay& way) { return &chains.at(way.chain); },
        [&](const ChainWay& way) {
            const bool enters = !way.from.empty() && !chains.at(way.chain).empty();
            return enters ? Lines{jump(way)} : Lines{};
        });
}

std::string own_chains(std::string_view saved, const std::string& interface, Backend backend,
                       Family family) {
    const auto tables = parse_saved(saved);
    return write_tables(
        chain_ways(interface, backend, family, true),
        [&](const ChainWay& way) { return lines_of(tables, way.table, way.chain); },
        [&](const ChainWay& way) {
            const Lines* chain = lines_of(tables, way.table, way.chain);
            const Lines* from = lines_of(tables, way.table, way.from);
            Lines kept;
            if (chain == nullptr || chain->empty() || from == nullptr) return kept;
            for (const auto& line : *from) {
                const bool is_early = kept.empty() && way.table == "filter"
                                      && backend == Backend::iptables && way.from != "DOCKER-USER"
                                      && accepts_for(line, interface);
                if (line == jump(way) || is_early) kept.push_back(line);
            }
            const bool enters = std::find(kept.begin(), kept.end(), jump(way)) != kept.end();
            return enters ? kept : Lines{};
        });
}

std::string transition(std::string_view wanted, std::string_view present,
                       const std::string& interface, Backend backend, Family family) {
    const auto target = parse_saved(wanted);
    const auto now = parse_saved(present);
    const auto ways = chain_ways(interface, backend, family, true);
    Lines removed;
    return write_tables(
        ways, [&](const ChainWay& way) { return lines_of(target, way.table, way.chain); },
        [&](const ChainWay& way) {
            Lines lines;
            const Lines* chain = lines_of(target, way.table, way.chain);
            const bool is_wanted = !way.from.empty() && chain != nullptr && !chain->empty()
                                   && state_of(target, way).count != 0;
            const auto [count, is_in_front] = state_of(now, way);
            if (is_wanted && count == 1 && is_in_front) return lines;
            for (std::size_t i = 0; i < count; ++i)
                lines.push_back(fmt::format("-D {} -j {}", way.from, way.chain));
            if (is_wanted) lines.push_back(fmt::format("-I {} 1 -j {}", way.from, way.chain));
            // The last way into a chain that is not wanted takes it along.
            const bool is_there = lines_of(now, way.table, way.chain) != nullptr;
            const bool is_last =
                std::none_of(&way + 1, ways.data() + ways.size(),
                             [&](const ChainWay& later) { return later.chain == way.chain; });
            if (is_there && is_last && (chain == nullptr || chain->empty())) {
                lines.push_back("-F " + way.chain);
                lines.push_back("-X " + way.chain);
            }
            return lines;
        });
}

std::string self_contained(std::string_view text, const std::string& interface, Backend backend,
                           Family family) {
    std::string whole(text);
    std::string others;
    for (const auto& way : chain_ways(interface, backend, family, true))
        if (!way.from.empty() && way.from != "INPUT" && way.from != "FORWARD"
            && way.from != "POSTROUTING")
            others += fmt::format(":{} - [0:0]\n", way.from);
    const std::string_view head = "*filter\n";
    if (const auto at = whole.find(head); at != whole.npos) whole.insert(at + head.size(), others);
    return whole;
}

} // namespace wgkit::fw
