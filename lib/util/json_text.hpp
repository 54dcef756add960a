#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

/// JSON as text. In one place, because to compile what reads and writes it takes longer than all
/// else that a source does with JSON.
namespace wgkit::json_text {

/// `is_discarded()` if the text is no JSON. Throws nothing: the library's messages quote input.
nlohmann::json parse(std::string_view text);
/// As above; names of an object stay in the order of the text.
nlohmann::ordered_json parse_ordered(std::string_view text);

/// Bytes that are no UTF-8 become U+FFFD. `indent`: spaces for a level; -1: all in one line.
std::string dump(const nlohmann::json& json, int indent = -1);
std::string dump(const nlohmann::ordered_json& json, int indent = -1);

} // namespace wgkit::json_text

namespace wgkit {

/// The texts of an array in an object; what is no text is left out, what is no array has none.
std::vector<std::string> texts_of(const nlohmann::json& object, const char* key);

} // namespace wgkit
