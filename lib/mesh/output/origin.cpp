// What a manifest's output is the result of.
#include <fmt/format.h>

#include "crypto/sha256.hpp"
#include "mesh/output/manifest.hpp"
#include "wgkit/version.hpp"

namespace wgkit::mesh {

std::string origin_of(const std::string& nodes, const std::string& lock,
                      std::optional<Format> format) {
    return fmt::format("wgkit-{}/{} {} {}", version, format ? to_string(*format) : "own",
                       crypto::sha256_hex(nodes), crypto::sha256_hex(lock));
}

std::string_view renderer_of(std::string_view origin) { return origin.substr(0, origin.find(' ')); }

} // namespace wgkit::mesh
