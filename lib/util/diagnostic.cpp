#include "wgkit/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "util/ascii.hpp"

namespace wgkit {

Diagnostics::Diagnostics(std::string file) : file_(std::move(file)) {}

Diagnostic& Diagnostics::add(Severity severity, std::string code, Mark mark, std::string message) {
    if (mark.line != 0
        && !known_.insert(fmt::format("{}:{}:{}:{}", mark.line, mark.column, code, message)).second)
        return repeated_ = {};
    return list_.emplace_back(
        Diagnostic{severity, std::move(code), file_, mark, std::move(message), {}, {}});
}

Diagnostic& Diagnostics::error(std::string code, Mark mark, std::string message) {
    return add(Severity::error, std::move(code), mark, std::move(message));
}

Diagnostic& Diagnostics::warning(std::string code, Mark mark, std::string message) {
    return add(Severity::warning, std::move(code), mark, std::move(message));
}

void Diagnostics::append(const Diagnostics& other) {
    list_.insert(list_.end(), other.list_.begin(), other.list_.end());
}

std::size_t Diagnostics::errors() const {
    return static_cast<std::size_t>(
        std::count_if(list_.begin(), list_.end(),
                      [](const Diagnostic& d) { return d.severity == Severity::error; }));
}

void Diagnostics::sort() {
    std::stable_sort(list_.begin(), list_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.file, a.mark) < std::tie(b.file, b.mark);
    });
}

namespace {

std::string place(const std::string& file, Mark mark) {
    return mark.line == 0 ? file : fmt::format("{}:{}:{}", file, mark.line, mark.column);
}

std::string_view line_of(std::string_view source, std::uint32_t number) {
    for (std::uint32_t line = 1; line < number; ++line) {
        const auto end = source.find('\n');
        if (end == std::string_view::npos) return {};
        source.remove_prefix(end + 1);
    }
    return source.substr(0, source.find_first_of("\r\n"));
}

/// A line such as `PrivateKey = ...` or `psk: ...` may hold a secret in any of its parts; so may
/// one with a key that was pasted into the wrong place.
bool may_hold_secret(std::string_view line) {
    std::string lowered; // without white space, which wg ignores even within keys
    for (const char c : line)
        if (!ascii::is_space(c)) lowered += ascii::lower(c);
    return lowered.find("key") != std::string::npos || lowered.find("psk") != std::string::npos
           || lowered.find("secret") != std::string::npos
           || lowered.find("pass") != std::string::npos || ascii::may_hold_key(lowered);
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// What a terminal could take for a command becomes '?', a character for a byte: C0 but the tab,
/// DEL, and C1 as UTF-8 has it.
std::string without_controls(std::string_view line) {
    std::string text(line);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c >= '\0' && c < ' ' && c != '\t') || c == '\x7f') text[i] = '?';
        if (c == '\xc2' && i + 1 < text.size() && is_continuation(text[i + 1])
            && text[i + 1] < '\xa0')
            text[i] = text[i + 1] = '?';
    }
    return text;
}

std::string excerpt(std::string_view source, Mark mark) {
    constexpr std::size_t widest = 160;
    const auto line = line_of(source, mark.line);
    if (mark.line == 0 || line.empty() || line.size() > widest || may_hold_secret(line)) return {};
    const auto column = std::min<std::size_t>(mark.column == 0 ? 1 : mark.column, line.size() + 1);
    std::string indent;
    for (const char c : without_controls(line.substr(0, column - 1)))
        if (!is_continuation(c)) indent += c == '\t' ? '\t' : ' ';
    return fmt::format("\n    {}\n    {}^", without_controls(line), indent);
}

} // namespace

std::string to_text(const Diagnostic& diagnostic, std::string_view source) {
    std::string text = fmt::format("{}: {}: {} [{}]", place(diagnostic.file, diagnostic.mark),
                                   diagnostic.severity == Severity::error ? "error" : "warning",
                                   diagnostic.message, diagnostic.code);
    text += excerpt(source, diagnostic.mark);
    for (const auto& note : diagnostic.notes)
        text += fmt::format("\n{}: note: {}",
                            place(note.file.empty() ? diagnostic.file : note.file, note.mark),
                            note.message);
    if (!diagnostic.hint.empty()) text += fmt::format("\nhint: {}", diagnostic.hint);
    return text;
}

} // namespace wgkit
