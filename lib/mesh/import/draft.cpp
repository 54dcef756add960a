// Draft -> nodes.yaml and lock.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mesh/import/draft.hpp"
#include "util/ascii.hpp"
#include "util/join.hpp"
#include "util/yaml.hpp"

namespace wgkit::mesh {

namespace {

std::string flow_list(const std::vector<std::string>& items) {
    std::string text = "[";
    for (const auto& item : items) text += (text.size() > 1 ? ", " : "") + yaml::quote(item);
    return text + "]";
}

std::string prefix_list(const std::vector<Prefix>& prefixes) {
    std::vector<std::string> items;
    for (const auto& prefix : prefixes) items.push_back(to_string(prefix));
    return flow_list(items);
}

std::string ssh_text(const Ssh& ssh) {
    std::vector<std::string> fields;
    if (!ssh.host.empty()) fields.push_back("host: " + yaml::quote(ssh.host));
    if (!ssh.user.empty()) fields.push_back("user: " + yaml::quote(ssh.user));
    if (ssh.port != 0) fields.push_back(fmt::format("port: {}", ssh.port));
    if (!ssh.jump.empty()) fields.push_back("jump: " + yaml::quote(ssh.jump));
    if (ssh.sudo) fields.push_back(fmt::format("sudo: {}", *ssh.sudo));
    return fmt::format("{{{}}}", fmt::join(fields, ", "));
}

void append_hooks(std::string& text, const std::string& indent, const Hooks& hooks) {
    const auto append = [&](const char* key, const std::vector<std::string>& lines) {
        if (lines.empty()) return;
        text += fmt::format("{}  {}:\n", indent, key);
        for (const auto& line : lines)
            text += fmt::format("{}    - {}\n", indent, yaml::quote(line));
    };
    if (hooks.pre_up.empty() && hooks.post_up.empty() && hooks.pre_down.empty()
        && hooks.post_down.empty())
        return;
    text += indent + "hooks:\n";
    append("pre_up", hooks.pre_up);
    append("post_up", hooks.post_up);
    append("pre_down", hooks.pre_down);
    append("post_down", hooks.post_down);
}

std::string node_fields(const DraftNode& node, const std::string& indent, bool with_special) {
    std::string text;
    const auto add = [&](const char* key, const std::string& value) {
        text += fmt::format("{}{}: {}\n", indent, key, value);
    };
    if (node.ipv4) add("ipv4", to_string(*node.ipv4));
    if (node.ipv6) add("ipv6", yaml::quote(to_string(*node.ipv6)));
    if (!node.has_key && !node.key_in_lock && node.key)
        add("public_key", yaml::quote(to_string(*node.key)));
    if (!node.has_file) add("managed", "false");
    if (node.keys_on_node) add("keys", "node");
    if (node.ssh != Ssh{}) add("ssh", ssh_text(node.ssh));
    if (node.endpoint) add("endpoint", yaml::quote(to_string(*node.endpoint)));
    if (node.port && !(node.endpoint && node.endpoint->port == *node.port))
        add("port", std::to_string(*node.port));
    if (!node.routes.empty()) add("routes", prefix_list(node.routes));
    if (node.exit)
        add("exit", *node.exit == FirewallTool::iptables ? "{firewall: iptables}" : "true");
    if (!node.exit_via.empty()) add("exit_via", yaml::quote(node.exit_via));
    if (node.relay) add("relay", "true");
    if (node.mtu) add("mtu", std::to_string(*node.mtu));
    if (!node.dns.empty()) add("dns", flow_list(node.dns));
    if (node.table) add("table", yaml::quote(*node.table));
    if (node.fwmark) add("fwmark", fmt::format("0x{:x}", *node.fwmark));
    if (node.interface != "wg0") add("interface", yaml::quote(node.interface));
    if (node.keepalive) add("keepalive", std::to_string(*node.keepalive));
    if (node.psk_none) add("psk", "none");
    if (!node.expires.empty()) add("expires", node.expires);
    append_hooks(text, indent, node.hooks);
    if (with_special && !node.special.empty()) {
        text += indent + "peers:\n";
        for (const auto& [name, fields] : node.special)
            text += fmt::format("{}  {}: {{{}}}\n", indent, yaml::quote(name), fields);
    }
    return text;
}

std::string network_fields(const Draft& draft, const std::string& indent) {
    std::string text;
    if (draft.ipv4) text += fmt::format("{}ipv4: {}\n", indent, to_string(*draft.ipv4));
    if (draft.ipv6)
        text += fmt::format("{}ipv6: {}\n", indent, yaml::quote(to_string(*draft.ipv6)));
    if (draft.psk) text += indent + "psk: per-pair\n";
    if (!draft.topology.empty()) text += fmt::format("{}topology: {}\n", indent, draft.topology);
    return text;
}

/// Names of all nodes in an order that every network agrees to, as far as there is one.
std::vector<std::string> all_names(const std::vector<Draft>& drafts) {
    std::vector<std::string> names;
    std::vector<std::size_t> at(drafts.size());
    const auto comes_later_elsewhere = [&](const std::string& name) {
        for (std::size_t k = 0; k < drafts.size(); ++k)
            for (std::size_t i = at[k] + 1; i < drafts[k].nodes.size(); ++i)
                if (drafts[k].nodes[i].name == name) return true;
        return false;
    };
    const auto take = [&](const std::string& name) {
        names.push_back(name);
        for (std::size_t k = 0; k < drafts.size(); ++k)
            if (at[k] < drafts[k].nodes.size() && drafts[k].nodes[at[k]].name == name) ++at[k];
    };
    for (std::size_t k = 0; k < drafts.size();) {
        if (at[k] == drafts[k].nodes.size()) {
            ++k;
            continue;
        }
        // The next of this network, unless another network has some before it.
        std::size_t from = k;
        while (comes_later_elsewhere(drafts[from].nodes[at[from]].name)) {
            const std::string& name = drafts[from].nodes[at[from]].name;
            std::size_t other = from;
            for (std::size_t m = 0; m < drafts.size(); ++m)
                for (std::size_t i = at[m] + 1; i < drafts[m].nodes.size(); ++i)
                    if (m != from && drafts[m].nodes[i].name == name) other = m;
            if (other == from) break;
            from = other;
        }
        take(std::string(drafts[from].nodes[at[from]].name));
    }
    return names;
}

} // namespace

std::string make_label(std::string_view text, const std::vector<DraftNode>& taken) {
    std::string label;
    for (const char c : text.substr(0, 60)) {
        if (ascii::is_alnum(c))
            label += c;
        else if (!label.empty() && label.back() != '-')
            label += '-';
    }
    if (label.ends_with('-')) label.pop_back();
    if (label.empty()) label = "peer";
    const auto is_taken = [&](const std::string& name) {
        return std::any_of(taken.begin(), taken.end(),
                           [&](const DraftNode& node) { return node.name == name; });
    };
    if (!is_taken(label)) return label;
    for (int i = 2;; ++i)
        if (const auto name = fmt::format("{}-{}", label, i); !is_taken(name)) return name;
}

std::string write_draft(const std::vector<Draft>& drafts, bool with_special) {
    std::string text = "version: 1\n";
    if (drafts.size() == 1) {
        text += fmt::format("network:\n  name: {}\n", yaml::quote(drafts[0].name));
        text += network_fields(drafts[0], "  ") + "nodes:\n";
        for (const auto& node : drafts[0].nodes) {
            text += fmt::format("  - name: {}\n", yaml::quote(node.name));
            if (!node.tags.empty()) text += fmt::format("    tags: {}\n", flow_list(node.tags));
            text += node_fields(node, "    ", with_special);
        }
        return text;
    }
    text += "networks:\n";
    for (const auto& draft : drafts)
        text +=
            fmt::format("  - name: {}\n", yaml::quote(draft.name)) + network_fields(draft, "    ");
    text += "nodes:\n";
    for (const auto& name : all_names(drafts)) {
        text += fmt::format("  - name: {}\n    networks:\n", yaml::quote(name));
        for (const auto& draft : drafts)
            for (const auto& node : draft.nodes)
                if (node.name == name)
                    text += fmt::format("      {}:\n", yaml::quote(draft.name))
                            + node_fields(node, "        ", with_special);
    }
    return text;
}

Imported finish_import(const std::vector<Draft>& drafts, std::vector<ImportedKey> keys,
                       Diagnostics diagnostics, Date today) {
    Imported imported;
    imported.nodes = "# Made by `wgkit mesh import`.\n" + write_draft(drafts);
    imported.node_count = all_names(drafts).size();
    Lock lock;
    for (const auto& draft : drafts) {
        LockedNetwork network{draft.name, {}, {}};
        for (const auto& node : draft.nodes) {
            LockedNode line{node.name, node.ipv4, node.ipv6, node.key, 0, {}, 1};
            if (node.key) {
                line.generation = 1;
                line.keyed = today;
            }
            network.nodes.push_back(std::move(line));
        }
        std::sort(network.nodes.begin(), network.nodes.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
        lock.networks.push_back(std::move(network));
    }
    std::sort(lock.networks.begin(), lock.networks.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    imported.lock = to_text(lock);
    imported.keys = std::move(keys);
    imported.diagnostics = std::move(diagnostics);
    return imported;
}

} // namespace wgkit::mesh
