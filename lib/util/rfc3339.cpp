#include "util/rfc3339.hpp"

#include <cstdint>
#include <ctime>

#include "util/ascii.hpp"

namespace wgkit {

std::optional<std::chrono::sys_seconds> from_rfc3339(std::string_view text) {
    // 2026-01-02T03:04:05[.fraction](Z|+hh:mm)
    const auto number = [&](std::size_t at, std::size_t size, std::uint64_t max) {
        return at + size <= text.size() ? ascii::to_number(text.substr(at, size), max)
                                        : std::nullopt;
    };
    const auto year = number(0, 4, 9999), month = number(5, 2, 12), day = number(8, 2, 31);
    const auto hour = number(11, 2, 23), minute = number(14, 2, 59), second = number(17, 2, 60);
    if (!year || !month || !day || !hour || !minute || !second || text[4] != '-' || text[7] != '-'
        || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':'
        || text[16] != ':')
        return std::nullopt;
    std::size_t at = 19;
    if (at < text.size() && text[at] == '.')
        for (++at; at < text.size() && ascii::is_digit(text[at]);) ++at;
    std::int64_t offset = 0;
    const auto zone = text.substr(at);
    if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
        const auto hours = ascii::to_number(zone.substr(1, 2), 23);
        const auto minutes = ascii::to_number(zone.substr(4, 2), 59);
        if (!hours || !minutes) return std::nullopt;
        offset = static_cast<std::int64_t>(*hours * 3600 + *minutes * 60);
        if (zone[0] == '-') offset = -offset;
    } else if (zone != "Z" && zone != "z") {
        return std::nullopt;
    }
    std::tm parts{};
    parts.tm_year = static_cast<int>(*year) - 1900;
    parts.tm_mon = static_cast<int>(*month) - 1;
    parts.tm_mday = static_cast<int>(*day);
    parts.tm_hour = static_cast<int>(*hour);
    parts.tm_min = static_cast<int>(*minute);
    parts.tm_sec = static_cast<int>(*second);
    return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts) - offset));
}

} // namespace wgkit
