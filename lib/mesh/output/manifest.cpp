#include "mesh/output/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "util/ascii.hpp"

namespace wgkit::mesh {

namespace {

constexpr std::string_view first_line = "wgkit-manifest 1";

template <class T>
bool read_number(std::string_view text, T& value, int base) {
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), value, base);
    return failure == std::errc{} && end == text.data() + text.size();
}

/// A path that cannot leave the output folder.
bool is_inside(std::string_view path) {
    if (path.empty() || path.front() == '/') return false;
    const auto parts = ascii::split(path, '/');
    return std::none_of(parts.begin(), parts.end(), [](std::string_view part) {
        return part.empty() || part == "." || part == "..";
    });
}

bool read_entry(std::string_view line, ManifestEntry& entry) {
    std::string_view parts[4];
    for (auto& part : parts) {
        const auto space = line.find(' ');
        if (space == line.npos) return false;
        part = line.substr(0, space);
        line.remove_prefix(space + 1);
    }
    entry.hash = parts[0];
    entry.path = line;
    return entry.hash.size() == 64 && read_number(parts[1], entry.mode, 8)
           && read_number(parts[2], entry.size, 10) && read_number(parts[3], entry.modified, 10)
           && is_inside(line);
}

} // namespace

const ManifestEntry* Manifest::find(const std::string& path) const {
    const auto at = std::lower_bound(
        entries.begin(), entries.end(), path,
        [](const ManifestEntry& entry, const std::string& wanted) { return entry.path < wanted; });
    return at != entries.end() && at->path == path ? &*at : nullptr;
}

std::string to_text(const Manifest& manifest) {
    std::string text = fmt::format("{}\norigin {}\n", first_line, manifest.origin);
    for (const auto& e : manifest.entries)
        fmt::format_to(std::back_inserter(text), "{} {:04o} {} {} {}\n", e.hash, e.mode, e.size,
                       e.modified, e.path);
    return text;
}

Result<Manifest> parse_manifest(std::string_view text, const std::string& file) {
    Manifest manifest;
    std::size_t number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        bool good = true;
        if (number == 1) {
            good = line == first_line;
        } else if (number == 2) {
            good = line.starts_with("origin ");
            if (good) manifest.origin = line.substr(7);
        } else {
            good = read_entry(line, manifest.entries.emplace_back());
        }
        if (!good)
            return Error{Errc::invalid,
                         fmt::format("{}:{}:1: not a line of a manifest", file, number),
                         "remove the file; the next render writes all files anew"};
    }
    return manifest;
}

} // namespace wgkit::mesh
