#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wgkit/diagnostic.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::config {

/// One line of a file, cut into its parts. All views point into the file's text and have no white
/// space at their ends.
struct Line {
    enum class Kind { blank, section, field, other };

    Kind kind = Kind::blank;
    std::uint32_t number = 0;
    std::string_view raw;
    std::string_view text;                   ///< all up to the comment
    std::string_view key;                    ///< of a field: up to the first '='
    std::string_view value;                  ///< of a field: after it, up to the comment
    std::optional<std::string_view> comment; ///< after the first '#'

    /// Where a part of this line begins.
    Mark mark(std::string_view part) const;
    /// The value as it is when '#' begins no comment in it.
    std::string_view value_with_hash() const;
};

/// Cuts a line; `raw` has no line feed.
Line read_line(std::string_view raw, std::uint32_t number);

/// The text without any white space, as wg reads keys and values. May hold a secret.
SecretString squeeze(std::string_view text);

} // namespace wgkit::config
