#include "net/interface_file.hpp"

#include <fmt/format.h>

#include "wgkit/files.hpp"

namespace wgkit::tool::net {

std::optional<LoadedFile> load_interface(const std::string& name_or_path, const Report& report) {
    auto file = find_interface_file(name_or_path);
    if (!file) {
        report.error(file.error());
        return std::nullopt;
    }
    if (is_world_accessible(file->path))
        report.warning(fmt::format("{} is open to everybody", file->path),
                       fmt::format("chmod 600 {}", file->path));
    auto text = files::read(file->path);
    if (!text) {
        report.error(text.error());
        return std::nullopt;
    }
    // As it was given: that is what an editor takes from here.
    const bool is_path = name_or_path.find('/') != name_or_path.npos;
    auto parsed = config::parse(*text, is_path ? name_or_path : file->path);
    if (parsed.diagnostics.errors() != 0) {
        report.findings(parsed.diagnostics, *text);
        return std::nullopt;
    }
    return LoadedFile{*std::move(file), *std::move(text), std::move(parsed.config)};
}

} // namespace wgkit::tool::net
