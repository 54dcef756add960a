#pragma once

#include "wgkit/firewall_state.hpp"

/// firewalld, as it is asked and told.
namespace wgkit::fw {

bool firewalld_is_running();

/// The files, and what firewalld lists of them if it runs.
Result<RuleText> read_firewalld(const std::string& interface);
/// With what firewalld would list: it checks the files, too.
Result<RuleText> list_firewalld(const RuleText& rules);
/// Files, each whole, then one reload. Errors: conflict (it does not run).
Result<void> load_firewalld(const RuleText& rules);

} // namespace wgkit::fw
