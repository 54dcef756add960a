#include "mesh/qr_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace wgkit::tool::mesh {

Result<const qr::Functions*> load_qr_library() {
    // Found as the linked libraries are: by the program's own search path.
    void* library = ::dlopen(WGKIT_QR_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    const void* found = library != nullptr ? ::dlsym(library, "wgkit_qr") : nullptr;
    if (found == nullptr)
        return Error{Errc::not_found, fmt::format("cannot draw QR codes: {}", ::dlerror()),
                     "install all of wgkit, with its libraries"};
    return static_cast<const qr::Functions*>(found);
}

} // namespace wgkit::tool::mesh
