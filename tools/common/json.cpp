#include "common/json.hpp"

#include <cstdio>

#include "util/json_text.hpp"

namespace wgkit::tool {

void print(const Json& json) {
    // Names of files may be any bytes: what is no UTF-8 becomes U+FFFD.
    const auto text = json_text::dump(json, 2) + "\n";
    std::fputs(text.c_str(), stdout);
}

Json to_json(const Diagnostics& diagnostics) {
    Json list = Json::array();
    for (const auto& one : diagnostics.all()) {
        Json notes = Json::array();
        for (const auto& note : one.notes)
            notes.push_back({{"file", note.file.empty() ? one.file : note.file},
                             {"line", note.mark.line},
                             {"column", note.mark.column},
                             {"message", note.message}});
        list.push_back({{"severity", one.severity == Severity::error ? "error" : "warning"},
                        {"code", one.code},
                        {"file", one.file},
                        {"line", one.mark.line},
                        {"column", one.mark.column},
                        {"message", one.message},
                        {"hint", one.hint},
                        {"notes", notes}});
    }
    return list;
}

} // namespace wgkit::tool
