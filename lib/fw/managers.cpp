// Who else filters here. nftables asks every chain of a hook, so what one accepts another can still
// drop; in iptables whoever stands in front decides.
#include "fw/managers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "device/command.hpp"
#include "fw/running.hpp"
#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

struct SeenChain {
    std::string table; ///< "ip filter"
    std::string name;
    std::string hook; ///< of base chains: "input", "forward", ...
    bool drops = false;
};

std::vector<SeenChain> parse_chains(std::string_view text) {
    std::vector<SeenChain> chains;
    std::string table;
    for (auto line : ascii::split(text, '\n')) {
        line = ascii::trim(line);
        const auto words = ascii::split(line, ' ');
        if (line.starts_with("table ") && words.size() >= 3) {
            table = fmt::format("{} {}", words[1], words[2]);
        } else if (line.starts_with("chain ") && words.size() >= 2) {
            chains.push_back({table, std::string(words[1]), {}, false});
        } else if (line.starts_with("type ") && !chains.empty() && words.size() >= 4) {
            chains.back().hook = words[3];
            chains.back().drops = line.find("policy drop") != line.npos;
        }
    }
    return chains;
}

/// Tables whose owner is known, and what it means that they are there.
struct KnownManager {
    std::string_view name;
    std::string_view table;     ///< begins so, after the family; empty: any
    std::string_view chain;     ///< a chain begins so
    std::optional<Backend> own; ///< who writes rules for this one is not told of it
};

constexpr KnownManager known_managers[] = {
    {"ufw", "filter", "ufw-user-input", Backend::ufw},
    {"ufw", "filter", "ufw6-user-input", Backend::ufw},
    {"firewalld", "firewalld", "", Backend::firewalld},
    {"Docker", "filter", "DOCKER", std::nullopt},
    {"libvirt", "", "LIBVIRT_FWI", std::nullopt},
    {"podman", "", "NETAVARK_FORWARD", std::nullopt},
};

std::string effect_on(std::string_view name, Backend backend) {
    if (name == "Docker" || name == "libvirt" || name == "podman") {
        if (backend == Backend::nftables)
            return "accepts flows to its own networks; what our rules drop stays dropped";
        return name == "Docker" ? "accepts flows to its containers first; our rules are put into "
                                  "DOCKER-USER, which is asked before"
                                : "accepts flows to its own networks, perhaps before our rules";
    }
    return "can drop what our rules accept: write rules for it instead";
}

bool is_known_drop(const std::vector<OtherManager>& found, std::string_view table) {
    // ufw's policy is that of iptables' own chains.
    return std::any_of(found.begin(), found.end(), [&](const auto& one) {
        return (one.name == "ufw" && table.ends_with(" filter"))
               || (one.name == "firewalld" && table.ends_with(" firewalld"));
    });
}

} // namespace

std::vector<OtherManager> managers_in(std::string_view chains, Backend backend) {
    const auto seen = parse_chains(chains);
    std::vector<OtherManager> found;
    const auto is_told = [&](std::string_view name) {
        return std::any_of(found.begin(), found.end(),
                           [&](const auto& one) { return one.name == name; });
    };
    for (const auto& manager : known_managers) {
        if (manager.own == backend || is_told(manager.name)) continue;
        const bool is_here = std::any_of(seen.begin(), seen.end(), [&](const SeenChain& chain) {
            const auto table = std::string_view(chain.table).substr(chain.table.find(' ') + 1);
            return table.starts_with(manager.table) && chain.name.starts_with(manager.chain);
        });
        if (is_here) found.push_back({std::string(manager.name), effect_on(manager.name, backend)});
    }
    const bool ours_are_chains = backend == Backend::ufw || backend == Backend::iptables;
    for (const auto& chain : seen) {
        if (!chain.drops || (chain.hook != "input" && chain.hook != "forward")) continue;
        if (chain.table.starts_with("inet wgkit_fw_") || is_known_drop(found, chain.table))
            continue;
        if (ours_are_chains && (chain.table == "ip filter" || chain.table == "ip6 filter"))
            continue;
        if (backend == Backend::firewalld && chain.table.ends_with(" firewalld")) continue;
        const std::string name = "table " + chain.table;
        if (!is_told(name))
            found.push_back({name, fmt::format("drops in {} what it does not accept itself, "
                                               "whatever our rules say",
                                               chain.hook)});
    }
    return found;
}

Result<std::vector<OtherManager>> other_managers(Backend backend) {
    if (!has_program("nft")) return std::vector<OtherManager>();
    const auto chains = output_of({"nft", "list", "chains"}, {}, "nft does not list its chains");
    if (!chains) return chains.error();
    return managers_in(*chains, backend);
}

} // namespace wgkit::fw
