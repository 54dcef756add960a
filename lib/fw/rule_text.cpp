#include <algorithm>

#include "crypto/sha256.hpp"
#include "fw/emitters.hpp"
#include "fw/firewalld.hpp"
#include "fw/interface.hpp"
#include "fw/iptables_text.hpp"
#include "fw/listing.hpp"
#include "fw/ufw_block.hpp"

namespace wgkit::fw {

bool RuleText::empty() const {
    return std::all_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); });
}

Result<RuleText> rules_of(const Ruleset& ruleset, Backend backend, const Surroundings& around) {
    if (auto fits = check_interface(ruleset.interface); !fits) return fits.error();
    RuleText rules{backend, ruleset.interface, {}};
    if (backend == Backend::nftables) {
        rules.parts = {emit_nftables(ruleset)};
        return rules;
    }
    if (backend == Backend::firewalld) {
        if (auto fits = check_firewalld_interface(ruleset.interface); !fits) return fits.error();
        rules.parts = firewalld_texts(ruleset);
        rules.parts.emplace_back(); // what firewalld lists, once it has loaded them
        return rules;
    }
    const auto chains = [&](Family family, bool docker) {
        return chains_text(ruleset, backend, family, docker);
    };
    rules.parts = {chains(Family::ipv4, around.docker_ipv4),
                   chains(Family::ipv6, around.docker_ipv6)};
    if (backend != Backend::ufw) return rules;
    // What ufw loads by itself when it starts; Docker's chain may not be there then.
    for (const Family family : {Family::ipv4, Family::ipv6})
        rules.parts.push_back(ufw_block(chains(family, false)));
    if (!around.ufw_ipv6) rules.parts[1].clear();
    return rules;
}

std::string hash_of(const RuleText& rules) {
    std::string all(to_string(rules.backend));
    for (const auto& [place, lines] : places_of(rules)) {
        all += "\n" + place + "\n";
        for (const auto& line : lines) all += "\t" + line + "\n";
    }
    return crypto::sha256_hex(all);
}

} // namespace wgkit::fw
