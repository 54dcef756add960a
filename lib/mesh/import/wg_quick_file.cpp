#include "mesh/import/wg_quick_file.hpp"

#include <fmt/format.h>

#include "util/ascii.hpp"

namespace wgkit::mesh {

namespace {

constexpr std::string_view header_start = "wgkit: network ";

void take_header(WgQuickFile& source, const std::vector<std::string>& comments) {
    for (const auto& line : comments) {
        const auto comma = line.find(", node ");
        if (!line.starts_with(header_start) || comma == line.npos) continue;
        source.network = line.substr(header_start.size(), comma - header_start.size());
        source.name = line.substr(comma + std::string_view(", node ").size());
        source.by_wgkit = true;
    }
}

/// NODE/etc/wireguard/IF.conf, else NAME.conf.
void take_path(WgQuickFile& source) {
    const auto parts = ascii::split(source.path, '/');
    std::string_view file = parts.back();
    if (file.ends_with(".conf")) file.remove_suffix(5);
    source.name = file;
    if (parts.size() < 4 || parts[parts.size() - 2] != "wireguard") return;
    source.interface = file;
    source.name = parts[parts.size() - 4];
}

} // namespace

Result<WgQuickFile> read_wg_quick(const ImportFile& file, const std::string& network) {
    auto parsed = config::parse(file.text, file.path);
    for (const auto& one : parsed.diagnostics.all())
        if (one.severity == Severity::error)
            return Error{
                Errc::invalid,
                fmt::format("{}:{}:{}: {}", one.file, one.mark.line, one.mark.column, one.message),
                one.hint};
    // Its warnings are about files that are replaced; what is corrected is told below.
    WgQuickFile source{file.path, network, {}, "wg0", false, std::move(parsed.config),
                       file.key,  file.ssh};
    take_path(source);
    take_header(source, source.config.comments);
    take_header(source, source.config.interface.comments.above);
    return source;
}

} // namespace wgkit::mesh
