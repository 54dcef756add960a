#include "monitor/wishes_file.hpp"

#include "wgkit/files.hpp"

namespace wgkit::tool::monitor {

bool read_wishes(const std::string& path, Wishes& wishes, Diagnostics& diagnostics,
                 const Report& report) {
    if (path.empty()) return true;
    const auto text = files::read(path);
    if (!text) {
        report.error(text.error());
        return false;
    }
    wishes = parse_wishes(*text, diagnostics);
    if (diagnostics.errors() != 0) report.findings(diagnostics, *text);
    return diagnostics.errors() == 0;
}

} // namespace wgkit::tool::monitor
