#include "util/json_text.hpp"

namespace wgkit::json_text {

nlohmann::json parse(std::string_view text) { return nlohmann::json::parse(text, nullptr, false); }

nlohmann::ordered_json parse_ordered(std::string_view text) {
    return nlohmann::ordered_json::parse(text, nullptr, false);
}

std::string dump(const nlohmann::json& json, int indent) {
    return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string dump(const nlohmann::ordered_json& json, int indent) {
    return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace wgkit::json_text

namespace wgkit {

std::vector<std::string> texts_of(const nlohmann::json& object, const char* key) {
    std::vector<std::string> list;
    const auto at = object.find(key);
    if (at == object.end() || !at->is_array()) return list;
    for (const auto& one : *at)
        if (one.is_string()) list.push_back(one.get<std::string>());
    return list;
}

} // namespace wgkit
