#include "util/errno_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace wgkit {

namespace {

Errc code_of(int error_number) {
    switch (error_number) {
    case ENOENT:
    case ENOTDIR:
        return Errc::not_found;
    case EEXIST:
        return Errc::exists;
    case EACCES:
    case EPERM:
    case EROFS:
        return Errc::permission;
    default:
        return Errc::system;
    }
}

} // namespace

Error errno_error(std::string_view what) { return errno_error(what, errno); }

Error errno_error(std::string_view what, int error_number) {
    return {code_of(error_number),
            fmt::format("{}: {}", what, std::generic_category().message(error_number)),
            {}};
}

} // namespace wgkit
