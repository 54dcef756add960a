// Two listings, place by place, and what each line that differs means for packets.
#include <algorithm>
#include <cstddef>

#include "fw/listing.hpp"
#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

using DifferenceKind = Difference::Kind;
using DifferenceEffect = Difference::Effect;
using Lines = std::vector<std::string>;

bool has_word(std::string_view line, std::string_view word) {
    const auto at = (" " + std::string(line) + " ").find(" " + std::string(word) + " ");
    return at != std::string::npos;
}

/// A line without its comment, which may hold anything.
std::string without_comment(std::string_view line) {
    std::string text(line);
    for (const std::string_view start : {"-m comment --comment \"", "comment \""}) {
        const auto at = text.find(start);
        if (at == text.npos) continue;
        const auto end = text.find('"', at + start.size());
        text.erase(at, end == text.npos ? text.npos : end + 1 - at);
        break;
    }
    return std::string(ascii::trim(text));
}

enum class Action { accepts, drops, leaves, other };

/// What happens to the packets of a line. `leaves`: another chain or the rest of the firewall
/// decides.
Action action_of(std::string_view line) {
    const std::string text = without_comment(line);
    if (has_word(text, "vmap")) return Action::other;
    if (has_word(text, "accept") || has_word(text, "ACCEPT")) return Action::accepts;
    for (const char* word : {"drop", "reject", "DROP", "REJECT"})
        if (has_word(text, word)) return Action::drops;
    if (text.find("<accept") != text.npos) return Action::accepts; // XML of firewalld
    if (text.find("<drop/>") != text.npos || text.find("=\"DROP\"") != text.npos)
        return Action::drops;
    for (const char* word : {"return", "goto", "jump", "RETURN"})
        if (has_word(text, word)) return Action::leaves;
    if (text.find("-g ") != text.npos) return Action::leaves;
    // iptables jumps to a chain by its name.
    const auto at = text.find("-j ");
    if (at != text.npos && !ascii::is_alnum(text[at + 3])) return Action::other;
    for (const char* target : {"-j LOG", "-j TCPMSS", "-j MASQUERADE", "-j NFLOG"})
        if (text.find(target) != text.npos) return Action::other;
    return at != text.npos ? Action::leaves : Action::other;
}

/// Whether no line behind this one is ever reached.
bool ends_chain(std::string_view line) {
    std::string text = without_comment(line);
    if (text.starts_with("counter ")) text.erase(0, 8);
    for (const std::string_view go : {"goto ", "-g "})
        if (text.starts_with(go) && text.find(' ', go.size()) == text.npos) return true;
    for (const char* all :
         {"accept", "drop", "return", "reject", "-j ACCEPT", "-j DROP", "-j RETURN", "-j REJECT"})
        if (text == all) return true;
    return false;
}

/// The lines of two lists that are in both, in one order: the longest such run where that is
/// affordable, else what both begin and end with.
struct Kept {
    std::vector<bool> a;
    std::vector<bool> b;
};

Kept common_lines(const Lines& a, const Lines& b) {
    Kept kept{std::vector<bool>(a.size()), std::vector<bool>(b.size())};
    std::size_t first = 0;
    while (first < a.size() && first < b.size() && a[first] == b[first]) {
        kept.a[first] = kept.b[first] = true;
        ++first;
    }
    std::size_t last = 0;
    while (last < a.size() - first && last < b.size() - first
           && a[a.size() - 1 - last] == b[b.size() - 1 - last]) {
        kept.a[a.size() - 1 - last] = kept.b[b.size() - 1 - last] = true;
        ++last;
    }
    const std::size_t rows = a.size() - first - last;
    const std::size_t columns = b.size() - first - last;
    if (rows == 0 || columns == 0 || rows > 4'000'000 / columns) return kept;
    std::vector<std::vector<std::uint32_t>> length(rows + 1,
                                                   std::vector<std::uint32_t>(columns + 1));
    for (std::size_t i = rows; i-- > 0;)
        for (std::size_t j = columns; j-- > 0;)
            length[i][j] = a[first + i] == b[first + j]
                               ? length[i + 1][j + 1] + 1
                               : std::max(length[i + 1][j], length[i][j + 1]);
    for (std::size_t i = 0, j = 0; i < rows && j < columns;) {
        if (a[first + i] == b[first + j]) {
            kept.a[first + i++] = kept.b[first + j++] = true;
        } else if (length[i + 1][j] >= length[i][j + 1]) {
            ++i;
        } else {
            ++j;
        }
    }
    return kept;
}

/// Sorted lists.
Kept common_elements(const Lines& a, const Lines& b) {
    Kept kept{std::vector<bool>(a.size()), std::vector<bool>(b.size())};
    for (std::size_t i = 0; i < a.size(); ++i)
        kept.a[i] = std::binary_search(b.begin(), b.end(), a[i]);
    for (std::size_t i = 0; i < b.size(); ++i)
        kept.b[i] = std::binary_search(a.begin(), a.end(), b[i]);
    return kept;
}

DifferenceEffect effect_of(DifferenceKind kind, std::string_view place, std::string_view line,
                           bool is_dead) {
    if (is_dead) return DifferenceEffect::none;
    // What the files say is only loaded the next time.
    const bool is_missing = kind == DifferenceKind::missing;
    if (place.starts_with("set "))
        return is_missing ? DifferenceEffect::narrower : DifferenceEffect::wider;
    switch (action_of(line)) {
    case Action::accepts:
        return is_missing ? DifferenceEffect::narrower : DifferenceEffect::wider;
    case Action::drops:
        return is_missing ? DifferenceEffect::wider : DifferenceEffect::narrower;
    case Action::leaves:
        return DifferenceEffect::wider; // whoever decides then, it is not the policy
    case Action::other:
        return DifferenceEffect::none;
    }
    return DifferenceEffect::none;
}

void compare_place(const std::string& place, const Lines& wanted, const Lines& present,
                   std::vector<Difference>& found) {
    const bool is_set = is_unordered(place);
    const Kept kept = is_set ? common_elements(wanted, present) : common_lines(wanted, present);
    Lines gone; // of `present`: to tell moved lines from new ones
    for (std::size_t i = 0; i < present.size(); ++i)
        if (!kept.b[i]) gone.push_back(present[i]);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (kept.a[i]) continue;
        const auto moved = std::find(gone.begin(), gone.end(), wanted[i]);
        if (moved == gone.end())
            found.push_back({DifferenceKind::missing,
                             effect_of(DifferenceKind::missing, place, wanted[i], false), place,
                             wanted[i], false});
    }
    bool is_dead = false;
    for (std::size_t i = 0; i < present.size(); ++i) {
        const auto& line = present[i];
        const bool is_wanted = std::find(wanted.begin(), wanted.end(), line) != wanted.end();
        if (!kept.b[i]) {
            const DifferenceKind kind = is_wanted ? DifferenceKind::moved : DifferenceKind::extra;
            found.push_back({kind, effect_of(DifferenceKind::extra, place, line, is_dead), place,
                             line, is_dead});
        } else if (is_dead) { // a wanted line that is no longer reached
            found.push_back({DifferenceKind::moved,
                             effect_of(DifferenceKind::missing, place, line, false), place, line,
                             true});
        }
        // The wanted end of a chain ends it for what was added behind it.
        is_dead = is_dead || (!is_set && ends_chain(line) && i + 1 < present.size());
    }
}

} // namespace

std::vector<Difference> compare(const RuleText& wanted, const RuleText& present) {
    std::vector<Difference> found;
    if (wanted.empty() != present.empty()) {
        if (present.empty())
            found.push_back(
                {DifferenceKind::missing, DifferenceEffect::wider, "all rules", {}, false});
        else
            found.push_back(
                {DifferenceKind::extra, DifferenceEffect::none, "all rules", {}, false});
        return found;
    }
    const Places a = places_of(wanted);
    const Places b = places_of(present);
    static const Lines none;
    for (const auto& [place, lines] : a) {
        const auto other = b.find(place);
        compare_place(place, lines, other != b.end() ? other->second : none, found);
    }
    for (const auto& [place, lines] : b)
        if (a.count(place) == 0) compare_place(place, none, lines, found);
    return found;
}

} // namespace wgkit::fw
