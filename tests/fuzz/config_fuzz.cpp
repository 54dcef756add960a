// Any text parses without harm, its findings point into it, and what is understood of it survives
// being written and read again.
#include <cstdlib>

#include "config/uapi_text.hpp"
#include "wgkit/config.hpp"

using namespace wgkit;
using namespace wgkit::config;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check(std::string_view text, Dialect dialect) {
    const auto parsed = parse(text, "fuzz", {dialect});
    for (const auto& finding : parsed.diagnostics.all())
        require(!to_text(finding, text).empty() && finding.mark.column <= text.size() + 1);
    if (parsed.diagnostics.errors() > 0) return;

    const auto canonical = write(parsed.config);
    const auto again = parse(canonical, "fuzz", {dialect});
    require(again.diagnostics.errors() == 0);
    require(write(again.config) == canonical);
    require(to_uapi(again.config, Apply::append) == to_uapi(parsed.config, Apply::append));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(text, Dialect::wg);
    check(text, Dialect::wg_quick);
    return 0;
}
