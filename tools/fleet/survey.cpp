#include "fleet/survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/json.hpp"
#include "wgkit/device.hpp"
#include "wgkit/policy.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeRequest;

namespace {

constexpr std::string_view conf_start = "etc/wireguard/";
constexpr std::string_view conf_end = ".conf";

/// Only files of wg-quick go over ssh.
std::optional<Error> why_unsupported(const wgkit::mesh::Fleet& fleet, const std::string& name) {
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes) {
            const auto& format = node.format;
            if (node.name.value != name || format.value == wgkit::mesh::Format::wg_quick) continue;
            return Error{Errc::invalid,
                         fmt::format("{}:{}:{}: {} is configured by {}, not by wg-quick: it cannot "
                                     "be changed over ssh",
                                     fleet.paths.nodes, format.mark.line, format.mark.column, name,
                                     to_string(format.value)),
                         "have it be `format: wg-quick`, or bring it what `wgkit mesh render` "
                         "writes; `apply --only` reaches the others"};
        }
    return std::nullopt;
}

Result<std::vector<Surveyed>> wanted_of(const wgkit::mesh::Fleet& fleet,
                                        const std::vector<wgkit::mesh::NodeFile>& files,
                                        const std::vector<std::string>& only) {
    const auto targets = targets_of(fleet, only);
    if (!targets) return targets.error();
    std::vector<Surveyed> out;
    for (const auto& target : *targets) {
        Surveyed one;
        one.target = target;
        one.unsupported = why_unsupported(fleet, target.name);
        if (one.unsupported) {
            out.push_back(std::move(one));
            continue;
        }
        std::map<std::string, std::string> settings; // of interfaces that forward
        for (const auto& file : files) {
            if (file.node != target.name) continue;
            if (file.path == fmt::format("etc/sysctl.d/90-wgkit-{}.conf", file.interface)) {
                settings[file.interface] = std::string(file.content.begin(), file.content.end());
                continue;
            }
            if (!file.path.starts_with(conf_start) || !file.path.ends_with(conf_end))
                return Error{
                    Errc::invalid,
                    fmt::format("{}: there is no way to bring {} there", target.name, file.path),
                    {}};
            one.files.push_back({file.interface, file.content, {}, {}});
        }
        for (auto& file : one.files) file.settings = settings[file.interface];
        out.push_back(std::move(one));
    }
    return out;
}

/// What the policy has for each node; nothing without one.
Result<void> add_firewalls(const wgkit::mesh::Fleet& fleet, std::vector<Surveyed>& nodes) {
    const auto parsed = wgkit::fw::parse_policy(fleet.source, fleet.paths.nodes);
    Diagnostics found = parsed.diagnostics;
    if (!parsed.policy.is_set && found.errors() == 0) return {};
    std::optional<wgkit::fw::FleetPolicy> policy;
    if (found.errors() == 0) policy.emplace(parsed.policy, fleet, found);
    if (found.errors() == 0) policy->run_tests(found);
    if (auto error = first_error(found)) return *std::move(error);
    for (auto& node : nodes) {
        if (node.unsupported) continue;
        const auto rulesets = policy->compile(node.target.name);
        if (!rulesets) return rulesets.error();
        wgkit::fleet::WantedFirewall firewall{to_text(*rulesets), {}, {}};
        for (const auto& ruleset : *rulesets) firewall.interfaces.push_back(ruleset.interface);
        node.firewall = std::move(firewall);
        node.echo = parsed.policy.ping;
    }
    return {};
}

} // namespace

std::size_t count_device_changes(const std::string& text) {
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("changes") || !json["changes"].is_array()) return 0;
    std::size_t count = 0;
    for (const auto& change : json["changes"]) {
        const bool only_endpoint =
            change.is_object() && change.value("change", "") == "change-peer"
            && change.contains("endpoint") && !change.contains("presharedKey")
            && !change.contains("persistentKeepalive") && change.contains("allowedIps")
            && std::all_of(change["allowedIps"].begin(), change["allowedIps"].end(),
                           [](const Json& list) { return list.empty(); });
        count += only_endpoint ? 0 : 1;
    }
    return count;
}

namespace {

std::size_t count_removed_peers(const std::string& text) {
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("changes")) return 0;
    const auto& changes = json["changes"];
    return static_cast<std::size_t>(
        std::count_if(changes.begin(), changes.end(), [](const Json& change) {
            return change.is_object() && change.value("change", "") == "remove-peer";
        }));
}

} // namespace

std::optional<Error> unsupported_nodes(const std::vector<Surveyed>& nodes) {
    const auto is_unsupported = [](const Surveyed& node) { return node.unsupported.has_value(); };
    const auto first = std::find_if(nodes.begin(), nodes.end(), is_unsupported);
    if (first == nodes.end()) return std::nullopt;
    auto error = *first->unsupported;
    if (const auto count = std::count_if(nodes.begin(), nodes.end(), is_unsupported); count > 1)
        error.message += fmt::format("; nor can {} others", count - 1);
    return error;
}

std::optional<Error> too_many_removals(const std::vector<Surveyed>& nodes,
                                       std::optional<std::uint32_t> allowed) {
    std::size_t most = 0;
    std::vector<std::string> places;
    for (const auto& node : nodes)
        for (const auto& one : node.reply.answer.interfaces) {
            Device present;
            present.peers.resize(one.peers.size());
            const auto removed = count_removed_peers(one.device_changes);
            if (removed <= (allowed ? *allowed : removal_limit(present))) continue;
            most = std::max(most, removed);
            places.push_back(fmt::format("{}: {} would lose {} of its {} peers", node.target.name,
                                         one.name, removed, one.peers.size()));
        }
    if (places.empty()) return std::nullopt;
    const auto others = places.size() == 1
                            ? std::string()
                            : fmt::format(", and as much goes for {} others", places.size() - 1);
    return Error{Errc::conflict, places.front() + others,
                 fmt::format("--allow-removals {} if they are to go", most)};
}

std::size_t Surveyed::changes() const {
    std::size_t count = 0;
    for (const auto& one : reply.answer.interfaces)
        count += std::max(one.file_changes.size(), count_device_changes(one.device_changes))
                 + (one.is_up ? 0 : 1);
    if (reply.answer.firewall) count += reply.answer.firewall->changes.size();
    return count;
}

NodeRequest Surveyed::request(const std::string& verb) const {
    auto request = request_for(verb);
    request.files = files;
    request.firewall = firewall;
    request.echo = echo;
    return request;
}

Result<std::vector<Surveyed>> survey(wgkit::mesh::Fleet& fleet, Transport& transport,
                                     const FleetOptions& options,
                                     const std::vector<std::string>& only, bool locked) {
    wgkit::mesh::RenderOptions render;
    render.today = wgkit::mesh::today();
    render.locked = locked;
    const auto files = render_files(fleet, render);
    if (!files) return files.error();
    auto nodes = wanted_of(fleet, *files, only);
    if (!nodes) return nodes;
    if (auto ruled = add_firewalls(fleet, *nodes); !ruled) return ruled.error();
    std::vector<Target> targets;
    for (const auto& one : *nodes) targets.push_back(one.target);
    for_each_target(targets, options.parallel, "asking nodes", [&](std::size_t i) {
        auto& one = (*nodes)[i];
        one.reply = one.unsupported ? Reply{Trouble::failed, *one.unsupported, {}, 0}
                                    : transport.call(one.target, one.request("plan"));
    });
    for (std::size_t i = 0; i < nodes->size(); ++i) {
        // From here on, only what the node is now may be changed.
        for (auto& file : (*nodes)[i].files)
            for (const auto& one : (*nodes)[i].reply.answer.interfaces)
                if (one.name == file.interface) file.state_hash = one.state_hash;
        if (auto& firewall = (*nodes)[i].firewall; firewall && (*nodes)[i].reply.answer.firewall)
            firewall->state_hash = (*nodes)[i].reply.answer.firewall->state_hash;
    }
    return nodes;
}

} // namespace wgkit::tool::fleet
