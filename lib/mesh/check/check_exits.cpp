// Full-tunnel clients and the exits they use; nodes that name themselves.
#include <fmt/format.h>

#include <map>
#include <unordered_map>

#include "mesh/check/checks.hpp"

namespace wgkit::mesh {

namespace {

void check_exit(const Node& client, const Node& exit, Date today, Diagnostics& d) {
    const auto& [name, mark] = *client.exit_via;
    if (!exit.exit) {
        auto& found = d.error("exit-not-offered", mark, fmt::format("{} is not an exit", name));
        found.notes.push_back({{}, exit.name.mark, fmt::format("{} is described here", name)});
        found.hint = fmt::format("add `exit: true` to {}", name);
    } else if (!is_active(exit, today)) {
        auto& found = d.error("depends-on-inactive", mark,
                              fmt::format("the exit {} is off, so all traffic would leave outside "
                                          "the tunnel",
                                          name));
        found.notes.push_back({{},
                               exit.disabled ? exit.marks.disabled : exit.expires->mark,
                               fmt::format("{} is off", name)});
        found.hint = "name another exit, or put this one back in service";
    }
}

} // namespace

void check_exits(const Network& network, Date today, Diagnostics& diagnostics) {
    std::unordered_map<std::string_view, const Node*> by_name;
    std::map<Mark, int> users; // of an `exit_via`: defaults and groups give it to many nodes
    for (const auto& node : network.nodes) {
        by_name.emplace(node.name.value, &node);
        if (node.exit_via) ++users[node.exit_via->mark];
    }
    for (const auto& node : network.nodes) {
        const auto own = [&](Mark mark, std::string_view what, std::string_view hint) {
            diagnostics.error("own-peer", mark, fmt::format("{} {}", node.name.value, what)).hint =
                hint;
        };
        for (const auto& peer : node.peers)
            if (peer.peer.value == node.name.value)
                own(peer.peer.mark, "is no peer of itself", "name another node, or remove this");
        if (!node.exit_via || !is_active(node, today)) continue;
        const auto exit = by_name.find(node.exit_via->value);
        if (exit == by_name.end()) continue; // reported as unknown-node
        if (exit->second != &node) {
            check_exit(node, *exit->second, today, diagnostics);
            if (node.dns.empty())
                diagnostics
                    .warning("exit-without-dns", node.exit_via->mark,
                             "all traffic goes through the exit, but names are still looked up "
                             "where the node is")
                    .hint = "add `dns:` with a server that the exit reaches";
        } else if (users[node.exit_via->mark] == 1) {
            own(node.exit_via->mark, "cannot be its own exit", "name another node");
        }
    }
}

} // namespace wgkit::mesh
