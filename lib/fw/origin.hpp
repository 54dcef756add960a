#pragma once

#include <fmt/format.h>

#include <string>

#include "wgkit/firewall.hpp"

namespace wgkit::fw {

/// Where a rule comes from, for people: "nodes.yaml:12: alice -> gw: 22/tcp".
inline std::string origin_of(const Ruleset& ruleset, const Rule& rule) {
    if (rule.mark.line == 0) return rule.text;
    return fmt::format("{}:{}: {}", ruleset.file, rule.mark.line, rule.text);
}

} // namespace wgkit::fw
