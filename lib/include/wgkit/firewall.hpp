#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/result.hpp"
#include "wgkit/traffic.hpp"

/// The firewall of one WireGuard interface as data, the packets it lets through, and its text for
/// each firewall. Pure. See wgkit-fw(8).
namespace wgkit::fw {

/// New flows per time, all of which may come at once; more are not let through by the rule.
struct Rate {
    std::uint32_t count = 0;
    std::uint32_t seconds = 1; ///< 1, 60, 3600 or 86400: what every back end can say

    auto operator<=>(const Rate&) const = default;
};

enum class Hook : std::uint8_t { input, forward };

/// New flows that are let through. "Tunnel" is the WireGuard interface, anything else is outside.
struct Rule {
    Hook hook = Hook::input;
    bool in_tunnel = true;    ///< comes out of the tunnel, else from any other interface
    bool out_tunnel = false;  ///< leaves into the tunnel; of forwarded packets
    std::vector<Prefix> from; ///< empty: any address
    std::vector<Prefix> to;
    std::vector<Traffic> traffic;
    std::string text;                    ///< the policy's line, e.g. "admins -> db: 5432/tcp"
    Mark mark;                           ///< where the policy says it
    std::vector<std::string> vouched_by; ///< nodes that some of the sources are behind
    bool log = false;
    Rate limit; ///< count 0: no limit
};

/// The firewall of one interface on one node. What is not let through is dropped; packets that do
/// not touch the tunnel are not its business but for `pools`, `listen_port` and rules from outside.
struct Ruleset {
    std::string node;              ///< empty: made without an inventory
    std::string file;              ///< the inventory; names the origin of rules
    std::string interface;         ///< 1 to 15 letters, digits and _=.-
    std::uint16_t listen_port = 0; ///< Units: UDP port; 0: not opened
    std::vector<Prefix> pools;     ///< sources that may come out of the tunnel only
    std::vector<Rule> rules;
    bool filter_forward = true;     ///< false: forwarded packets are left to other rules
    bool closed = false;            ///< drop what else comes in on other interfaces, too
    bool ping = true;               ///< answer echo requests out of the tunnel
    bool log = false;               ///< log what is dropped, at most 10 a minute
    bool clamp_mss = false;         ///< of TCP that is forwarded into or out of the tunnel
    std::vector<Prefix> masquerade; ///< sources that leave for the outside under our address
    std::vector<Prefix> unmasked;   ///< but not to these destinations
};

/// What connection tracking says of a packet.
enum class FlowState : std::uint8_t { fresh, established, related, invalid };

/// A packet as the firewall sees it. Of ICMP `destination_port` is the type.
struct Packet {
    Hook hook = Hook::input;
    bool in_tunnel = true;
    bool out_tunnel = false;
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = tcp;
    std::uint16_t destination_port = 0;
    FlowState state = FlowState::fresh;
};

struct Decision {
    enum class Verdict : std::uint8_t {
        accept,
        drop,
        pass, ///< not decided here: the rest of the firewall does
    };
    Verdict verdict = Verdict::drop;
    const Rule* rule = nullptr; ///< that let it through; points into the ruleset
    std::string_view reason;    ///< if no rule did
};

/// Rulesets as JSON, for where they are to be loaded if they were compiled elsewhere.
WGKIT_API std::string to_text(const std::vector<Ruleset>& rulesets);
/// Errors: invalid, with `file`.
WGKIT_API Result<std::vector<Ruleset>> parse_rulesets(std::string_view text,
                                                      const std::string& file);

/// What happens to a packet: the meaning that every emitted text must have. Rates are not counted.
WGKIT_API Decision evaluate(const Ruleset& ruleset, const Packet& packet);

/// Firewalls that rules are written for.
enum class Backend { ufw, nftables, iptables, firewalld };
/// "ufw", "nftables", "iptables" or "firewalld".
WGKIT_API std::string_view to_string(Backend backend);

/// What the lock-down of one interface needs to know if there is no policy.
struct LockdownOptions {
    std::string interface = "wg0";
    std::uint16_t port = 51820;     ///< 0: do not open one
    std::vector<std::string> allow; ///< "53", "80,443/tcp": what is reached through the tunnel
    bool ping = true;
    bool exit = false; ///< forward from the tunnel to anywhere else
    bool log = false;
};
/// The rules that WireGuard guides give: the listen port open, these ports through the tunnel, the
/// rest of the tunnel closed. Forwarding is left alone but for `exit`.
/// Errors: invalid.
WGKIT_API Result<Ruleset> lockdown(const LockdownOptions& options);

/// A whole text for the back end: for nftables what `nft -f` loads, else a shell script. Loading
/// it replaces what an earlier one for the same interface loaded, in one step.
/// Errors: invalid if the back end cannot say it.
WGKIT_API Result<std::string> emit(const Ruleset& ruleset, Backend backend);
/// What takes all of it away again, as `emit`. Errors: invalid.
WGKIT_API Result<std::string> emit_removal(const std::string& interface, Backend backend);

} // namespace wgkit::fw
