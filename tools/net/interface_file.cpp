#include "net/interface_file.hpp"

#include <fmt/format.h>

#include "wgkit/files.hpp"

namespace wgkit::tool::net {

namespace {

Result<SecretString> read_text(const std::string& path, const LoadOptions& options,
                               const Report& report) {
    if (options.strict) return files::read_secret(path, options.allow_open);
    if (is_world_accessible(path))
        report.warning(fmt::format("{} is open to everybody", path),
                       fmt::format("chmod 600 {}", path));
    return files::read(path);
}

} // namespace

std::optional<LoadedFile> load_interface(const std::string& name_or_path, const Report& report,
                                         const LoadOptions& options) {
    auto file = find_interface_file(name_or_path, options.interface);
    if (!file) {
        report.error(file.error());
        return std::nullopt;
    }
    auto text = read_text(file->path, options, report);
    if (!text) {
        report.error(text.error());
        return std::nullopt;
    }
    // As it was given: that is what an editor takes from here.
    const bool is_path = name_or_path.find('/') != name_or_path.npos;
    auto parsed = config::parse(*text, is_path ? name_or_path : file->path);
    const bool has_errors = parsed.diagnostics.errors() != 0;
    if (has_errors || options.strict) report.findings(parsed.diagnostics, *text);
    if (has_errors) {
        if (options.strict)
            report.error(fmt::format("{} has errors; nothing is changed", file->path));
        return std::nullopt;
    }
    if (options.strict && !text->empty() && text->back() != '\n') {
        report.error(fmt::format("{}: its last line does not end", file->path),
                     "the file may be cut off; if it is whole, end it with a line feed");
        return std::nullopt;
    }
    return LoadedFile{*std::move(file), *std::move(text), std::move(parsed.config)};
}

} // namespace wgkit::tool::net
