#pragma once

#include <string>
#include <string_view>

/// Text as services want it: names come from outside and may hold anything.
namespace wgkit::alert {

/// How a service counts the length of a text.
enum class Unit { bytes, code_points, utf16 };

std::size_t length(std::string_view text, Unit unit);

/// Valid UTF-8 (else U+FFFD) without control characters, which become spaces; line ends stay if
/// `lines`. Characters that turn the direction of writing go, too: they make a line read otherwise.
std::string clean(std::string_view text, bool lines = false);

/// At most `max` units; what is cut off is replaced by "…". Never parts a character. Takes valid
/// UTF-8.
std::string cut(std::string_view text, std::size_t max, Unit unit);

/// With a backslash before each of `special`.
std::string backslashed(std::string_view text, std::string_view special);

/// & < > as entities, as Slack wants it.
std::string entities(std::string_view text);

/// As in a URL's query or a form.
std::string percent_encoded(std::string_view text);

} // namespace wgkit::alert
