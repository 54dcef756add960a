#include "common/loaded.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace wgkit::tool {

Result<void*> load_symbol(const char* library, const char* symbol, std::string_view purpose) {
    void* loaded = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void* found = loaded != nullptr ? ::dlsym(loaded, symbol) : nullptr;
    if (found == nullptr)
        return Error{Errc::not_found, fmt::format("cannot {}: {}", purpose, ::dlerror()),
                     "install all of wgkit, with its libraries"};
    return found;
}

} // namespace wgkit::tool
