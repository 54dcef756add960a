#pragma once

#include <nlohmann/json.hpp>

#include "wgkit/diagnostic.hpp"

namespace wgkit::tool {

/// Keys stay in the order they are written in.
using Json = nlohmann::ordered_json;

/// Prints to standard output, indented, with a newline.
void print(const Json& json);

/// [{"severity", "code", "file", "line", "column", "message", "hint", "notes": [...]}]
Json to_json(const Diagnostics& diagnostics);

} // namespace wgkit::tool
