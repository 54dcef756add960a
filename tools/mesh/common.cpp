#include <fmt/format.h>

#include "commands.hpp"

namespace wgkit::tool::mesh {

using wgkit::mesh::Format;

namespace {

constexpr Format formats[] = {Format::wg_quick, Format::networkd, Format::networkmanager,
                              Format::netplan};

} // namespace

void add_nodes_argument(Arguments app, std::string& path) {
    app.add_option("nodes", path, "The inventory").type_name("FILE").shows_default();
}

void add_format_option(Arguments app, std::string& format, const std::string& help) {
    std::vector<std::string> names;
    for (const auto one : formats) names.emplace_back(to_string(one));
    app.add_option("--format", format, help).choices(names).type_name("FORMAT");
}

std::optional<Format> format_named(const std::string& name) {
    for (const auto one : formats)
        if (to_string(one) == name) return one;
    return std::nullopt;
}

std::string human_bytes(std::size_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    for (const char* unit : {"KiB", "MiB", "GiB"}) {
        value /= 1024;
        if (value < 1024) return fmt::format("{:.1f} {}", value, unit);
    }
    return fmt::format("{:.1f} TiB", value / 1024);
}

std::optional<wgkit::mesh::Fleet> load(const std::string& path, const Report& report) {
    auto fleet = wgkit::mesh::load(wgkit::mesh::Paths::beside(path), wgkit::mesh::today());
    if (!fleet) {
        report.error(fleet.error());
        return std::nullopt;
    }
    report.findings(fleet->diagnostics, fleet->source);
    if (fleet->diagnostics.errors() != 0) return std::nullopt;
    return std::move(*fleet);
}

} // namespace wgkit::tool::mesh
