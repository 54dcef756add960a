#include "device/table_names.hpp"

#include <dirent.h>
#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit {

namespace {

std::optional<std::uint32_t> number_in(std::string_view text) {
    const bool hex = text.starts_with("0x");
    if (hex) text.remove_prefix(2);
    std::uint32_t value = 0;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Lines of `NUMBER NAME`, comments behind '#'.
std::optional<std::uint32_t> find_name(std::string_view content, std::string_view name) {
    for (auto line : ascii::split(content, '\n')) {
        line = ascii::trim(line.substr(0, line.find('#')));
        const auto gap = line.find_first_of(" \t");
        if (gap != line.npos && ascii::trim(line.substr(gap)) == name)
            return number_in(line.substr(0, gap));
    }
    return std::nullopt;
}

struct CloseFolder {
    void operator()(DIR* open) const { ::closedir(open); }
};

std::vector<std::string> files_of_names() {
    std::vector<std::string> paths;
    for (const std::string folder : {"/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"}) {
        paths.push_back(folder + "/rt_tables");
        const std::unique_ptr<DIR, CloseFolder> open(::opendir((folder + "/rt_tables.d").c_str()));
        while (const dirent* entry = open ? ::readdir(open.get()) : nullptr)
            if (std::string_view(entry->d_name).ends_with(".conf"))
                paths.push_back(folder + "/rt_tables.d/" + entry->d_name);
    }
    return paths;
}

} // namespace

Result<std::uint32_t> routing_table(const std::string& text) {
    if (const auto number = number_in(text)) return *number;
    for (const auto& path : files_of_names())
        if (const auto content = files::read(path))
            if (const auto number = find_name(*content, text)) return *number;
    if (text == "default") return 253;
    if (text == "main") return 254;
    if (text == "local") return 255;
    return Error{Errc::not_found, fmt::format("there is no routing table '{}'", text),
                 "a number, or a name of /etc/iproute2/rt_tables"};
}

} // namespace wgkit
