#pragma once

#include <memory>

#include "wgkit/http.hpp"

namespace wgkit::tool {

/// Loads libwgkit-http, which brings libcurl with it. Errors: not_found.
Result<std::unique_ptr<HttpPoster>> load_http_poster();

} // namespace wgkit::tool
