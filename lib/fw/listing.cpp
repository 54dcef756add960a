#include "fw/listing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fw/firewalld.hpp"
#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

/// Lines of `nft -s -nn list table`: blocks in the table, and in sets the elements.
void read_nft_listing(std::string_view text, Places& places) {
    std::vector<std::string>* place = nullptr;
    bool in_elements = false;
    const auto add_elements = [&](std::string_view list) {
        if (list.ends_with('}')) list.remove_suffix(1);
        while (!list.empty()) {
            // Commas part elements; none stands in one.
            const auto comma = std::min(list.find(','), list.size());
            const auto element = ascii::trim(list.substr(0, comma));
            if (!element.empty()) place->emplace_back(element);
            list.remove_prefix(std::min(comma + 1, list.size()));
        }
    };
    for (auto line : ascii::split(text, '\n')) {
        line = ascii::trim(line);
        if (in_elements) {
            in_elements = !line.ends_with('}');
            add_elements(line);
        } else if (line.ends_with('{')
                   && (line.starts_with("set ") || line.starts_with("chain "))) {
            place = &places[std::string(ascii::trim(line.substr(0, line.size() - 1)))];
        } else if (line == "}") {
            place = nullptr;
        } else if (place == nullptr || line.empty()) {
            continue;
        } else if (line.starts_with("elements = {")) {
            const auto list = line.substr(line.find('{') + 1);
            in_elements = !list.ends_with('}');
            add_elements(list);
        } else {
            place->emplace_back(line);
        }
    }
}

void read_chains_listing(std::string_view text, std::string_view family, Places& places) {
    std::string_view table;
    for (const auto line : ascii::split(text, '\n')) {
        if (line.starts_with('*')) table = line.substr(1);
        if (!line.starts_with("-A ")) continue;
        const auto rest = line.substr(3);
        const auto space = std::min(rest.find(' '), rest.size());
        places[fmt::format("{} {} {}", family, table, rest.substr(0, space))].emplace_back(
            ascii::trim(rest.substr(space)));
    }
}

void read_lines(std::string_view text, const std::string& name, Places& places) {
    for (const auto line : ascii::split(text, '\n'))
        if (!line.empty()) places[name].emplace_back(line);
}

/// `firewall-cmd --list-all-policies` and zones, a block each; of those that are ours.
void read_firewalld_listing(std::string_view text, Places& places) {
    std::vector<std::string>* place = nullptr;
    for (const auto line : ascii::split(text, '\n')) {
        if (ascii::trim(line).empty()) continue;
        if (!line.starts_with(' ') && !line.starts_with('\t'))
            place = &places[fmt::format("firewalld {}", line.substr(0, line.find(' ')))];
        else if (place != nullptr)
            place->emplace_back(ascii::trim(line));
    }
}

} // namespace

std::size_t parts_of(Backend backend) {
    switch (backend) {
    case Backend::nftables:
        return 1;
    case Backend::iptables:
        return 2;
    case Backend::ufw:
        return 4;
    case Backend::firewalld:
        return firewalld_files.size() + 1;
    }
    return 0;
}

bool is_unordered(std::string_view place) {
    return place.starts_with("set ") || place.starts_with("firewalld ");
}

namespace {

Places read_places(const RuleText& rules) {
    static constexpr const char* files[] = {"before.rules", "before6.rules"};
    Places places;
    if (rules.backend == Backend::nftables) {
        for (const auto& part : rules.parts) read_nft_listing(part, places);
        return places;
    }
    if (rules.backend == Backend::firewalld) {
        for (std::size_t i = 0; i < firewalld_files.size(); ++i)
            read_lines(rules.parts[i], firewalld_path(rules.interface, firewalld_files.at(i)),
                       places);
        read_firewalld_listing(rules.parts.back(), places);
        return places;
    }
    for (std::size_t i = 0; i < rules.parts.size(); ++i)
        if (i < 2)
            read_chains_listing(rules.parts[i], i == 0 ? "IPv4" : "IPv6", places);
        else
            read_lines(rules.parts[i], files[i - 2], places);
    return places;
}

} // namespace

Places places_of(const RuleText& rules) {
    Places places = read_places(rules);
    for (auto& [name, lines] : places)
        if (is_unordered(name)) std::sort(lines.begin(), lines.end());
    return places;
}

} // namespace wgkit::fw
