#pragma once

#include "common/arguments.hpp"
#include "monitor/conclude.hpp"
#include "wgkit/secret.hpp"

/// A Headscale control plane instead of this machine's devices.
namespace wgkit::tool::monitor {

/// What asks it is a library that is loaded when it is asked: it reads JSON and YAML, and loads
/// libcurl.
struct HeadscaleQuestion {
    const MonitorOptions& options;
    SecretString key;
    std::string previous; ///< the state file's text; empty: none
    bool colour = false;
};

struct HeadscaleAnswer {
    Found found;
    std::optional<Error> unusable; ///< the state file's text
};

void add_headscale_options(const Arguments& arguments, HeadscaleOptions& options);
int run_headscale(const MonitorOptions& options, const Report& report);

/// The library's one function, by its name in C.
using AskHeadscale = void (*)(const HeadscaleQuestion&, HeadscaleAnswer&, const Report&);
inline constexpr const char* ask_headscale_name = "wgkit_ask_headscale";

} // namespace wgkit::tool::monitor
