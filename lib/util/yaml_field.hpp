#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/yaml.hpp"

/// Typed reads of single values: each returns nothing and adds a diagnostic if the value is not
/// what the field takes.
namespace wgkit::yaml::field {

bool expect(const Value& value, Kind kind, Diagnostics& diagnostics);
/// A field that may be read, for the search of the nearest name.
void unknown(std::string_view key, Mark mark, const std::vector<std::string_view>& known,
             Diagnostics& diagnostics);
/// Adds a finding about the value.
Diagnostic& bad(const Value& value, Diagnostics& diagnostics, std::string message,
                std::string hint = {}, std::string code = "bad-value");

/// One line without control characters.
std::optional<std::string> text(const Value& value, Diagnostics& diagnostics);
std::optional<std::uint32_t> number(const Value& value, std::uint32_t min, std::uint32_t max,
                                    Diagnostics& diagnostics);

/// One of a fixed set of words.
template <class T>
struct Choice {
    std::string_view word;
    T value;
};

std::size_t choose(const Value& value, const std::vector<std::string_view>& words,
                   Diagnostics& diagnostics);

template <class T, std::size_t N>
std::optional<T> choice(const Value& value, const Choice<T> (&choices)[N],
                        Diagnostics& diagnostics) {
    std::vector<std::string_view> words;
    for (const auto& one : choices) words.push_back(one.word);
    const auto index = choose(value, words, diagnostics);
    return index < N ? std::optional(choices[index].value) : std::nullopt;
}

std::optional<bool> boolean(const Value& value, Diagnostics& diagnostics);

} // namespace wgkit::yaml::field
