#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/yaml.hpp"
#include "wgkit/inventory.hpp"

/// Typed reads of single values: each returns nothing and adds a diagnostic if the value is not
/// what the field takes.
namespace wgkit::mesh::field {

/// A field that may be read, for the search of the nearest name.
bool expect(const yaml::Value& value, yaml::Kind kind, Diagnostics& diagnostics);
void unknown(std::string_view key, Mark mark, const std::vector<std::string_view>& known,
             Diagnostics& diagnostics);

std::optional<std::string> text(const yaml::Value& value, Diagnostics& diagnostics);
/// A DNS label: it becomes a path, a hosts entry or a comment.
std::optional<std::string> label(const yaml::Value& value, Diagnostics& diagnostics);
/// A network interface name: 1 to 15 of letters, digits and _=+.-
std::optional<std::string> interface(const yaml::Value& value, Diagnostics& diagnostics);
/// A list of single-line texts, or one text.
std::optional<std::vector<Located<std::string>>> texts(const yaml::Value& value,
                                                       Diagnostics& diagnostics);
std::optional<bool> boolean(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<std::uint32_t> number(const yaml::Value& value, std::uint32_t min, std::uint32_t max,
                                    Diagnostics& diagnostics);
std::optional<std::uint16_t> port(const yaml::Value& value, Diagnostics& diagnostics);
/// Seconds, or `off` for 0.
std::optional<std::uint16_t> keepalive(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<IpAddress> address(const yaml::Value& value, Family family, Diagnostics& diagnostics);
/// A prefix without host bits.
std::optional<Prefix> prefix(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<std::vector<Located<Prefix>>> prefixes(const yaml::Value& value,
                                                     Diagnostics& diagnostics);
/// `host:port` or `host`; port 0 means "the node's listen port".
std::optional<Endpoint> endpoint(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<PublicKey> public_key(const yaml::Value& value, Diagnostics& diagnostics);
std::optional<Date> date(const yaml::Value& value, Diagnostics& diagnostics);

/// One of a fixed set of words.
template <class T>
struct Choice {
    std::string_view word;
    T value;
};

std::size_t choose(const yaml::Value& value, const std::vector<std::string_view>& words,
                   Diagnostics& diagnostics);

template <class T, std::size_t N>
std::optional<T> choice(const yaml::Value& value, const Choice<T> (&choices)[N],
                        Diagnostics& diagnostics) {
    std::vector<std::string_view> words;
    for (const auto& one : choices) words.push_back(one.word);
    const auto index = choose(value, words, diagnostics);
    return index < N ? std::optional(choices[index].value) : std::nullopt;
}

} // namespace wgkit::mesh::field
