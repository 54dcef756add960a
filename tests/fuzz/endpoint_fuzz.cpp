// Every endpoint that the config parser takes is written in a form that both parsers read alike.
#include "config/endpoint.hpp"

#include <cstdlib>

using namespace wgkit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto read = config::parse_endpoint(text);
    if (const auto strict = Endpoint::parse(text); strict && !read) std::abort();
    if (!read) return 0;
    const auto written = to_string(read->endpoint);
    const auto again = config::parse_endpoint(written);
    const auto strict = Endpoint::parse(written);
    if (!again || again->endpoint != read->endpoint) std::abort();
    if (!strict || *strict != read->endpoint) std::abort();
    return 0;
}
