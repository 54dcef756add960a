#include "alert/text.hpp"

#include <cstdint>

#include "util/ascii.hpp"

namespace wgkit::alert {

namespace {

constexpr char32_t replacement = 0xFFFD;
constexpr std::string_view ellipsis = "…";

struct Character {
    char32_t value;
    std::size_t size; ///< bytes taken
};

/// The first character of a text that is not empty.
Character decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return {first, 1};
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    if (size == 0 || first > 0xF4 || text.size() < size) return {replacement, 1};
    char32_t value = first & (0x7F >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {replacement, 1};
        value = value << 6 | (byte(i) & 0x3F);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < least[size] || value > 0x10FFFF || surrogate) return {replacement, 1};
    return {value, size};
}

std::size_t units(const Character& character, Unit unit) {
    switch (unit) {
    case Unit::bytes:
        return character.size;
    case Unit::code_points:
        return 1;
    case Unit::utf16:
        return character.value > 0xFFFF ? 2 : 1;
    }
    return 1;
}

/// Bidirectional controls and the byte order mark.
bool turns_text(char32_t value) {
    return (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069)
           || value == 0x200E || value == 0x200F || value == 0xFEFF;
}

} // namespace

std::size_t length(std::string_view text, Unit unit) {
    std::size_t count = 0;
    while (!text.empty()) {
        const auto character = decode(text);
        count += units(character, unit);
        text.remove_prefix(character.size);
    }
    return count;
}

std::string clean(std::string_view text, bool lines) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto [value, size] = decode(text);
        if (value == replacement)
            result += "\xEF\xBF\xBD";
        else if (value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0x2028
                 || value == 0x2029)
            result += lines && value == '\n' ? '\n' : ' ';
        else if (!turns_text(value))
            result += text.substr(0, size);
        text.remove_prefix(size);
    }
    return result;
}

std::string cut(std::string_view text, std::size_t max, Unit unit) {
    if (length(text, unit) <= max) return std::string(text);
    const std::size_t room = length(ellipsis, unit);
    if (max < room) return {};
    std::size_t used = 0, end = 0;
    while (end < text.size()) {
        const auto character = decode(text.substr(end));
        if (used + units(character, unit) > max - room) break;
        used += units(character, unit);
        end += character.size;
    }
    return std::string(text.substr(0, end)) + std::string(ellipsis);
}

std::string backslashed(std::string_view text, std::string_view special) {
    std::string result;
    for (const char c : text) {
        if (special.find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

std::string entities(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '&')
            result += "&amp;";
        else if (c == '<')
            result += "&lt;";
        else if (c == '>')
            result += "&gt;";
        else
            result += c;
    }
    return result;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
        if (ascii::is_alnum(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
            result += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result += '%';
            result += digits[byte >> 4];
            result += digits[byte & 15];
        }
    }
    return result;
}

} // namespace wgkit::alert
