#include "common/http_library.hpp"

#include "common/loaded.hpp"
#include "http/http.hpp"

namespace wgkit::tool {

Result<std::unique_ptr<HttpPoster>> load_http_poster() {
    const auto found = load_symbol(WGKIT_HTTP_LIBRARY, "wgkit_http", "send anything");
    if (!found) return found.error();
    return static_cast<const http::Functions*>(*found)->make();
}

} // namespace wgkit::tool
