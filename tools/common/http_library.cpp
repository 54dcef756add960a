#include "common/http_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "http/http.hpp"

namespace wgkit::tool {

Result<std::unique_ptr<HttpPoster>> load_http_poster() {
    // Found as the linked libraries are: by the program's own search path.
    void* library = ::dlopen(WGKIT_HTTP_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    const void* found = library != nullptr ? ::dlsym(library, "wgkit_http") : nullptr;
    if (found == nullptr)
        return Error{Errc::not_found, fmt::format("cannot send anything: {}", ::dlerror()),
                     "install all of wgkit, with its libraries"};
    return static_cast<const http::Functions*>(found)->make();
}

} // namespace wgkit::tool
