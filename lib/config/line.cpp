#include "config/line.hpp"

#include <algorithm>
#include <iterator>

#include "util/ascii.hpp"

namespace wgkit::config {

Mark Line::mark(std::string_view part) const {
    return {number, static_cast<std::uint32_t>(part.data() - raw.data()) + 1};
}

std::string_view Line::value_with_hash() const {
    return ascii::trim(raw.substr(raw.find('=') + 1));
}

Line read_line(std::string_view raw, std::uint32_t number) {
    Line line;
    line.number = number;
    line.raw = raw;
    const auto hash = raw.find('#');
    line.text = ascii::trim(raw.substr(0, hash));
    if (hash != std::string_view::npos) line.comment = ascii::trim(raw.substr(hash + 1));
    const auto equals = line.text.find('=');
    if (line.text.empty()) {
        line.kind = Line::Kind::blank;
    } else if (line.text.front() == '[') {
        line.kind = Line::Kind::section;
    } else if (equals == std::string_view::npos) {
        line.kind = Line::Kind::other;
    } else {
        line.kind = Line::Kind::field;
        line.key = ascii::trim(line.text.substr(0, equals));
        line.value = ascii::trim(line.text.substr(equals + 1));
    }
    return line;
}

SecretString squeeze(std::string_view text) {
    SecretString result;
    result.reserve(text.size());
    std::copy_if(text.begin(), text.end(), std::back_inserter(result),
                 [](char c) { return !ascii::is_space(c); });
    return result;
}

} // namespace wgkit::config
