#include "net/rendered_node.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "crypto/sodium_sha256.hpp"
#include "mesh/output/manifest.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::net {

namespace {

constexpr std::string_view interface_folder = "etc/wireguard/";
constexpr const char* copy_advice =
    "render again, or copy the node's folder and .wgkit/manifest whole";

bool is_interface_file(std::string_view path) {
    return path.starts_with(interface_folder) && path.ends_with(".conf")
           && path.find('/', interface_folder.size()) == path.npos;
}

} // namespace

Result<std::vector<std::string>> files_of_rendered_node(const std::string& folder) {
    std::error_code failed;
    const auto node = std::filesystem::canonical(folder, failed);
    if (failed) return Error{Errc::not_found, fmt::format("{} is not there", folder), {}};
    const std::string place = node.parent_path() / ".wgkit/manifest";
    const auto text = files::read(place);
    if (!text) return Error{text.error().code, text.error().message, copy_advice};
    const auto manifest = mesh::parse_manifest(*text, place);
    if (!manifest) return manifest.error();
    const std::string prefix = node.filename().string() + "/";
    std::vector<std::string> found;
    for (const auto& entry : manifest->entries) {
        if (!entry.path.starts_with(prefix)) continue;
        const std::string inside = entry.path.substr(prefix.size());
        const std::string path = node / inside;
        const auto content = files::read(path);
        if (!content) return Error{content.error().code, content.error().message, copy_advice};
        if (crypto::sodium_sha256_hex(*content) != entry.hash)
            return Error{Errc::conflict, fmt::format("{} is not what was rendered", path),
                         copy_advice};
        if (is_interface_file(inside)) found.push_back(path);
    }
    for (std::filesystem::directory_iterator at(node / interface_folder, failed), end;
         !failed && at != end; at.increment(failed))
        if (at->path().extension() == ".conf"
            && manifest->find(prefix + std::string(interface_folder)
                              + at->path().filename().string())
                   == nullptr)
            return Error{
                Errc::conflict,
                fmt::format("{} was not rendered: {} does not list it", at->path().string(), place),
                copy_advice};
    if (found.empty())
        return Error{Errc::not_found,
                     fmt::format("{} lists no interface of {}", place, node.filename().string()),
                     {}};
    return found;
}

} // namespace wgkit::tool::net
