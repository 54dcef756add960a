#include <fmt/format.h>

#include "util/ascii.hpp"
#include "util/yaml.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::mesh {

namespace {

constexpr std::string_view comments = R"(# The fleet, for wgkit mesh. Every field: man wgkit-nodes
version: 1
network:
  name: {name}
  interface: wg0
{pools}  port: 51820
  # full-mesh, hub-and-spoke (nodes tagged hub), site-to-site, or a list of rules.
  topology: full-mesh
  # A preshared key for each pair, derived from one secret in keys/.
  psk: per-pair
nodes:
  # A node without endpoint can call others but not be called: behind NAT, or roaming.
)";

} // namespace

Result<std::string> initial_inventory(const std::string& network, const std::string& ipv4,
                                      const std::string& ipv6,
                                      const std::vector<std::string>& nodes) {
    std::string pools;
    const auto add_pool = [&](std::string_view key, const std::string& text) {
        if (!text.empty()) pools += fmt::format("  {}: {}\n", key, yaml::quote(text));
    };
    add_pool("ipv4", ipv4);
    add_pool("ipv6", ipv6);
    std::string text = fmt::format(fmt::runtime(comments), fmt::arg("name", yaml::quote(network)),
                                   fmt::arg("pools", pools));
    for (const auto& node : nodes) {
        const auto equals = node.find('=');
        text += fmt::format("  - name: {}\n", yaml::quote(node.substr(0, equals)));
        if (equals != node.npos)
            text += fmt::format("    endpoint: {}\n", yaml::quote(node.substr(equals + 1)));
    }
    if (nodes.empty()) text += "  []\n";
    // What the arguments broke, the parser names.
    const auto parsed = parse_inventory(text, "init");
    if (parsed.diagnostics.errors() != 0) {
        const auto& first = parsed.diagnostics.all().front();
        return Error{Errc::invalid, first.message, first.hint};
    }
    return text;
}

} // namespace wgkit::mesh
