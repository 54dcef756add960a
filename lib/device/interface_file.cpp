// Which file an interface is made from.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "util/ascii.hpp"
#include "wgkit/interface.hpp"

namespace wgkit {

namespace {

constexpr std::string_view suffix = ".conf";

/// wg-quick's names are fewer than the kernel's: they become parts of commands.
bool is_quick_name(std::string_view name) {
    return !name.empty() && name.size() <= 15 && std::all_of(name.begin(), name.end(), [](char c) {
        return ascii::is_alnum(c) || c == '_' || c == '=' || c == '+' || c == '.' || c == '-';
    });
}

} // namespace

Result<InterfaceFile> find_interface_file(const std::string& name_or_path,
                                          const std::string& interface) {
    std::string path = name_or_path;
    if (is_quick_name(path)) path = fmt::format("/etc/wireguard/{}{}", path, suffix);
    const std::string_view last = std::string_view(path).substr(path.rfind('/') + 1);
    const bool fits =
        !interface.empty()
        || (last.ends_with(suffix) && is_quick_name(last.substr(0, last.size() - suffix.size())));
    InterfaceFile file;
    file.interface = interface;
    if (fits && interface.empty()) file.interface = last.substr(0, last.size() - suffix.size());
    struct FreeText {
        void operator()(char* text) const { std::free(text); }
    };
    const std::unique_ptr<char, FreeText> real(::realpath(path.c_str(), nullptr));
    if (!real)
        return Error{errno == EACCES ? Errc::permission : Errc::not_found,
                     fmt::format("{} does not exist", path),
                     path == name_or_path ? ""
                                          : "a file elsewhere is given as a path, ./NAME.conf"};
    if (!fits)
        return Error{Errc::invalid, fmt::format("{} is not named after an interface", path),
                     "a name of 1 to 15 letters, digits or any of _=+.-, then .conf"};
    file.path = real.get();
    return file;
}

bool is_world_accessible(const std::string& path) {
    struct stat file {};
    struct stat folder {};
    const std::string above = path.substr(0, path.rfind('/') + 1);
    return ::stat(path.c_str(), &file) == 0 && ::stat(above.c_str(), &folder) == 0
           && (file.st_mode & folder.st_mode & 7) != 0;
}

} // namespace wgkit
