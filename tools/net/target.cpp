#include "net/target.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "wgkit/files.hpp"

namespace wgkit::tool::net {

namespace {

constexpr std::string_view suffix = ".conf";

std::string path_of(const std::string& word) {
    if (word.find('/') != std::string::npos || word.ends_with(suffix))
        return std::filesystem::absolute(word).lexically_normal();
    return fmt::format("/etc/wireguard/{}{}", word, suffix);
}

std::string interface_of(const std::string& path) {
    std::string name = std::filesystem::path(path).filename();
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
    return name;
}

} // namespace

std::optional<Target> load_target(const std::string& word, const std::string& interface,
                                  bool allow_open, const Report& report) {
    const std::string path = path_of(word);
    auto text = files::read_secret(path, allow_open);
    if (!text) {
        report.error(text.error());
        return std::nullopt;
    }
    auto parsed = wgkit::config::parse(*text, path);
    report.findings(parsed.diagnostics, *text);
    if (parsed.diagnostics.errors() != 0) {
        report.error(fmt::format("{} has errors; nothing is changed", path));
        return std::nullopt;
    }
    if (!text->empty() && text->back() != '\n') {
        report.error(fmt::format("{}: its last line does not end", path),
                     "the file may be cut off; if it is whole, end it with a line feed");
        return std::nullopt;
    }
    return Target{interface.empty() ? interface_of(path) : interface, path, std::move(*text),
                  std::move(parsed.config)};
}

} // namespace wgkit::tool::net
