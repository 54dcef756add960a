#include "util/yaml_field.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "util/ascii.hpp"

namespace wgkit::yaml::field {

bool expect(const Value& value, Kind kind, Diagnostics& diagnostics) {
    if (value.kind == kind) return true;
    diagnostics.error(
        "wrong-type", value.mark,
        fmt::format("expected {}, found {}", yaml::describe(kind), yaml::describe(value.kind)));
    return false;
}

void unknown(std::string_view key, Mark mark, const std::vector<std::string_view>& known,
             Diagnostics& diagnostics) {
    auto& found = diagnostics.error("unknown-field", mark, fmt::format("unknown field '{}'", key));
    if (const auto near = ascii::nearest(key, known))
        found.hint = fmt::format("did you mean '{}'?", *near);
    else
        found.hint = fmt::format("known here: {}", fmt::join(known, ", "));
}

Diagnostic& bad(const Value& value, Diagnostics& diagnostics, std::string message, std::string hint,
                std::string code) {
    auto& found = diagnostics.error(std::move(code), value.mark, std::move(message));
    found.hint = std::move(hint);
    return found;
}

std::optional<std::string> text(const Value& value, Diagnostics& diagnostics) {
    if (!expect(value, Kind::scalar, diagnostics)) return std::nullopt;
    const bool one_line = std::all_of(value.scalar.begin(), value.scalar.end(),
                                      [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
    if (!one_line) {
        bad(value, diagnostics, "text must be one line without control characters");
        return std::nullopt;
    }
    return value.scalar;
}

std::optional<std::uint32_t> number(const Value& value, std::uint32_t min, std::uint32_t max,
                                    Diagnostics& diagnostics) {
    const auto word = text(value, diagnostics);
    if (!word) return std::nullopt;
    const bool hex = word->starts_with("0x");
    std::uint64_t result = 0;
    const char* const begin = word->data() + (hex ? 2 : 0);
    const char* const end = word->data() + word->size();
    const auto [stop, failure] = std::from_chars(begin, end, result, hex ? 16 : 10);
    if (failure == std::errc{} && stop == end && result >= min && result <= max)
        return static_cast<std::uint32_t>(result);
    bad(value, diagnostics,
        min == max ? fmt::format("'{}' is not {}, the only one that is known", *word, min)
                   : fmt::format("'{}' is not a number from {} to {}", *word, min, max));
    return std::nullopt;
}

std::size_t choose(const Value& value, const std::vector<std::string_view>& words,
                   Diagnostics& diagnostics) {
    const auto word = text(value, diagnostics);
    if (!word) return words.size();
    const auto match = std::find(words.begin(), words.end(), *word);
    if (match == words.end()) {
        auto& found = bad(value, diagnostics,
                          fmt::format("'{}' is not one of: {}", *word, fmt::join(words, ", ")));
        if (const auto near = ascii::nearest(*word, words))
            found.hint = fmt::format("did you mean '{}'?", *near);
    }
    return static_cast<std::size_t>(match - words.begin());
}

std::optional<bool> boolean(const Value& value, Diagnostics& diagnostics) {
    static constexpr Choice<bool> words[] = {
        {"true", true}, {"false", false}, {"yes", true}, {"no", false}};
    return choice(value, words, diagnostics);
}

} // namespace wgkit::yaml::field
