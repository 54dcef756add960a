#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace wgkit {

/// The texts of an array in an object; what is no text is left out, what is no array has none.
inline std::vector<std::string> texts_of(const nlohmann::json& object, const char* key) {
    std::vector<std::string> list;
    const auto at = object.find(key);
    if (at == object.end() || !at->is_array()) return list;
    for (const auto& one : *at)
        if (one.is_string()) list.push_back(one.get<std::string>());
    return list;
}

} // namespace wgkit
