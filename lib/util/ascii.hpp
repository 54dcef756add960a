#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Locale-free text helpers: config files are ASCII whatever LC_ALL says.
namespace wgkit::ascii {

constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_alnum(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

/// Text without white space at both ends.
constexpr std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// Equality that ignores case, as strcasecmp in the C locale.
constexpr bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

/// A whole decimal number: digits only, no sign, no space, at most `max`.
inline std::optional<std::uint64_t> to_number(std::string_view text, std::uint64_t max) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || text.empty()
        || !is_digit(text.front()) || value > max)
        return std::nullopt;
    return value;
}

/// The parts between separators; an empty text is one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Whether 40 characters of base64 stand in a row: a key (43 of them, in hexadecimal 64) or most of
/// one, which must not be repeated in a message.
bool may_hold_key(std::string_view text);

/// RFC 1123 label: letters, digits and inner hyphens, 1 to 63 characters. Such a name is safe as a
/// path component, a hosts entry and a comment.
bool is_dns_label(std::string_view text);

/// The candidate closest to `word` by edit distance, if close enough to be a likely typing error.
std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& candidates);

} // namespace wgkit::ascii
