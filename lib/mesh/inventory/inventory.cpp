#include "wgkit/inventory.hpp"

#include <fmt/chrono.h>

#include <algorithm>

#include "util/ascii.hpp"

namespace wgkit::mesh {

bool Node::has_tag(std::string_view tag) const {
    return std::any_of(tags.begin(), tags.end(),
                       [&](const Located<std::string>& t) { return t.value == tag; });
}

const Endpoint* Node::endpoint() const {
    for (const auto& underlay : underlays)
        if (underlay.endpoint) return &underlay.endpoint->value;
    return nullptr;
}

std::string_view to_string(Format format) {
    switch (format) {
    case Format::wg_quick:
        return "wg-quick";
    case Format::networkd:
        return "networkd";
    case Format::networkmanager:
        return "networkmanager";
    case Format::netplan:
        return "netplan";
    }
    return "";
}

std::string to_string(Date date) {
    const std::chrono::year_month_day day(date);
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                       static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

std::optional<Date> parse_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = ascii::to_number(text.substr(0, 4), 9999);
    const auto month = ascii::to_number(text.substr(5, 2), 12);
    const auto day = ascii::to_number(text.substr(8, 2), 31);
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day)));
    return date.ok() ? std::optional<Date>(date) : std::nullopt;
}

} // namespace wgkit::mesh
