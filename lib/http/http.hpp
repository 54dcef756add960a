#pragma once

#include <memory>

#include "wgkit/export.hpp"
#include "wgkit/http.hpp"

/// HTTP by libcurl, which brings thirty libraries with it: programs load it when they need it.
namespace wgkit::http {

std::unique_ptr<HttpPoster> make_poster();

/// What the library offers to who loads it.
struct Functions {
    decltype(&make_poster) make;
};

} // namespace wgkit::http

extern "C" WGKIT_API const wgkit::http::Functions wgkit_http;
