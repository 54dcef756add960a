#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/app.hpp"

/// The status page and the exporter: a process that only reads what the monitor leaves.
namespace wgkit::tool::monitor {

struct ServeOptions {
    std::string listen = "127.0.0.1:9591";
    std::string state;
    std::string fleet; ///< a folder with the states of hosts, shown instead; empty: none
    std::string auth_file;
    std::vector<std::string> hosts;
    std::uint32_t max_age = 600; ///< seconds
};

/// What serves is a library that is loaded then, with libmicrohttpd.
Action setup_serve(Arguments arguments);

/// The library's one function, by its name in C.
using Serve = int (*)(const ServeOptions&, const Report&);
inline constexpr const char* serve_name = "wgkit_serve";

} // namespace wgkit::tool::monitor
