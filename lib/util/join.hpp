#pragma once

#include <string>
#include <string_view>

namespace wgkit {

/// The elements as text (by to_string) with a separator between them.
template <class List>
std::string join(const List& list, std::string_view separator) {
    std::string text;
    for (const auto& element : list) {
        if (!text.empty()) text += separator;
        text += to_string(element);
    }
    return text;
}

} // namespace wgkit
