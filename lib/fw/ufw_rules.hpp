#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/firewall_state.hpp"

/// The rules that people gave ufw, as user.rules and user6.rules keep them. Pure.
namespace wgkit::fw {

struct UfwRule {
    enum class Action : std::uint8_t { allow, limit, deny, reject };
    Action action = Action::allow;
    bool is_route = false;    ///< of forwarded packets
    bool is_out = false;      ///< of packets that this machine sends
    std::string in_interface; ///< empty: any
    std::string out_interface;
    std::optional<Prefix> from; ///< absent: any
    std::optional<Prefix> to;
    std::vector<Traffic> traffic;    ///< destination
    std::vector<Traffic> from_ports; ///< empty: any
    std::string text;                ///< as `ufw` takes it, e.g. "deny in on wg0"
};

/// The rules of one file, in the order in which they are asked. Lines that are no rules are left
/// out, and so are rules that cannot be read.
std::vector<UfwRule> parse_ufw_rules(std::string_view file);

/// Whether every packet that `b` matches is matched by `a`.
bool covers(const UfwRule& a, const UfwRule& b);

/// The first rule that decides about a new TCP connection to this machine.
const UfwRule* deciding_rule(const std::vector<UfwRule>& rules, const Connection& connection);

} // namespace wgkit::fw
