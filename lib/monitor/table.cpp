#include "monitor/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wgkit::monitor {

std::string printable(std::string_view text) {
    std::string safe(text);
    for (char& c : safe)
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    return safe;
}

std::string span_text(seconds time) {
    const std::int64_t count = time.count();
    constexpr std::int64_t hour = 3600, day = 24 * hour;
    if (count < 600) return fmt::format("{} s", count);
    if (count < 2 * hour) return fmt::format("{} min", count / 60);
    if (count < 2 * day) return fmt::format("{} h", count / hour);
    return fmt::format("{} d", count / day);
}

const char* colour_of(Level level, bool is_up) {
    if (level == Level::critical) return "31";
    if (level == Level::warning) return "33";
    return is_up ? "32" : "2";
}

std::string aligned(const Table& table,
                    const std::function<std::string_view(std::size_t line)>& colour_of_line) {
    std::vector<std::size_t> widths(table.front().size());
    for (const auto& cells : table)
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = std::max(widths[i], cells[i].size());
    std::string text;
    for (std::size_t line = 0; line < table.size(); ++line) {
        for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
            const std::string cell = fmt::format("{:<{}}", table[line][i], widths[i]);
            const auto colour = i == 0 && line > 0 ? colour_of_line(line - 1) : std::string_view();
            text += colour.empty() ? cell : fmt::format("\033[{}m{}\033[0m", colour, cell);
            text += "  ";
        }
        text += table[line].back() + "\n";
    }
    return text;
}

} // namespace wgkit::monitor
