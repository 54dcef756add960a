// The same name twice: of nodes in a network, of networks in the inventory.
#include <fmt/format.h>

#include <unordered_map>

#include "mesh/check/checks.hpp"
#include "util/ascii.hpp"

namespace wgkit::mesh {

namespace {

/// Names that differ in case only are one name in DNS, hosts files and many file systems.
class Names {
  public:
    void add(const Located<std::string>& name, std::string_view kind, Diagnostics& d) {
        std::string folded;
        for (const char c : name.value) folded += ascii::lower(c);
        const auto [first, is_new] = seen_.emplace(std::move(folded), &name);
        if (is_new) return;
        const auto& other = *first->second;
        auto& found = d.error("duplicate-name", name.mark,
                              other.value == name.value
                                  ? fmt::format("two {}s have the name '{}'", kind, name.value)
                                  : fmt::format("the {}s '{}' and '{}' differ in case only", kind,
                                                other.value, name.value));
        found.notes.push_back({{}, other.mark, "the first one is here"});
        found.hint = fmt::format("rename one of them; a {}'s name is its identity", kind);
    }

  private:
    std::unordered_map<std::string, const Located<std::string>*> seen_;
};

} // namespace

void check_network_names(const Inventory& inventory, Diagnostics& diagnostics) {
    Names names;
    for (const auto& network : inventory.networks) names.add(network.name, "network", diagnostics);
}

void check_names(const Network& network, Diagnostics& diagnostics) {
    Names names;
    for (const auto& node : network.nodes) names.add(node.name, "node", diagnostics);
}

} // namespace wgkit::mesh
