#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/firewall.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/result.hpp"

/// What a firewall has loaded for an interface, compared with what it should have, and changed.
/// What is not called pure runs the firewall's own programs, and most of it needs root.
namespace wgkit::fw {

/// The rules of one interface in the words of the firewall that has them.
/// Shape of `parts`: nftables: the table. iptables: the chains of IPv4 and of IPv6 as
/// iptables-save(8) writes them. ufw: the same, then what before.rules and before6.rules hold.
/// firewalld: its XML files, then what it lists of them.
/// An empty part: there are none.
struct WGKIT_API RuleText {
    Backend backend = Backend::nftables;
    std::string interface;
    std::vector<std::string> parts;

    /// Whether there is no rule.
    bool empty() const;
    bool operator==(const RuleText&) const = default;
};

/// What else of the machine the text of rules depends on.
struct Surroundings {
    bool docker_ipv4 = false; ///< there is a chain DOCKER-USER, which is asked before all others
    bool docker_ipv6 = false;
    bool ufw_ipv6 = true; ///< ufw filters IPv6
};
/// Errors: system.
WGKIT_API Result<Surroundings> read_surroundings(Backend backend);

/// The firewall that is in use: ufw if it is active, firewalld if it runs, else nftables, or
/// iptables without nft(8). Errors: not_found.
WGKIT_API Result<Backend> backend_in_use();

/// The rules as they are to be loaded. Errors: invalid if the back end cannot say it.
WGKIT_API Result<RuleText> rules_of(const Ruleset& ruleset, Backend backend,
                                    const Surroundings& around);
/// The rules that are loaded now. Errors: not_found (no such program), permission, system.
WGKIT_API Result<RuleText> read_rules(const std::string& interface, Backend backend);
/// The rules as the firewall would list them, had it loaded them: it does, into an empty network
/// namespace. Errors: invalid (it refuses them), permission, system.
WGKIT_API Result<RuleText> listed(const RuleText& rules);

/// How one line differs.
struct Difference {
    /// How the line differs.
    enum class Kind : std::uint8_t { missing, extra, moved };
    /// What the difference means for packets.
    enum class Effect : std::uint8_t {
        narrower, ///< what should be let through is not
        wider,    ///< what should not be let through may be
        none,     ///< the line is never reached, or lets nothing through and drops nothing
    };
    Kind kind = Kind::missing;
    Effect effect = Effect::none;
    std::string place;    ///< chain or set, e.g. "IPv4 filter wgkit-in-wg0"
    std::string rule;     ///< as the firewall writes it; empty: all that is in the place
    bool is_dead = false; ///< it is behind a rule that ends the chain
};

/// Both as listed. Pure.
WGKIT_API std::vector<Difference> compare(const RuleText& wanted, const RuleText& present);
/// SHA-256 over the rules as listed, 64 hexadecimal digits; the same for the same rules.
WGKIT_API std::string hash_of(const RuleText& rules);

/// The firewall's own dry run. Errors: invalid (it refuses the rules), system.
WGKIT_API Result<void> check_rules(const RuleText& rules);
/// How long applied rules last.
enum class Lasting : std::uint8_t {
    boot,   ///< ufw loads them at the next boot, too, and is enabled if it is not active
    running ///< files of ufw stay as they are
};
/// Puts rules in the place of those that are loaded for the interface: checked first, loaded in one
/// step for each table, then read again. Whatever fails, the old ones are back. Empty rules remove
/// what is there.
/// Errors: invalid, conflict (other rules were found after loading), permission, system.
WGKIT_API Result<void> replace_rules(const RuleText& rules, Lasting lasting = Lasting::boot);

/// A file that the next boot depends on, as it must be for the rules to be there then.
struct BootContent {
    std::string path;
    std::string content;
};
/// Of all these rules, without writing anything. Errors: invalid, not_found, system.
WGKIT_API Result<std::vector<BootContent>> boot_contents(const std::vector<RuleText>& rules);

/// Whether ufw filters now; false without ufw. Errors: permission, system.
WGKIT_API Result<bool> ufw_is_active();
/// Errors: system.
WGKIT_API Result<void> disable_ufw();

/// A TCP connection to this machine.
struct Connection {
    IpAddress client;
    IpAddress server;
    std::uint16_t port = 0; ///< of the server
    std::string device;     ///< the interface that it comes in on; empty: unknown
};
/// The SSH connection that this program is run from, its own or, as sudo hides it, that of a
/// program that it came from.
WGKIT_API std::optional<Connection> ssh_connection();
/// Why the rules would refuse a new connection like this one; nothing if they would not. Pure.
WGKIT_API std::optional<std::string> refuses(const Ruleset& ruleset, const Connection& connection);
/// Whether the rules let one in themselves. Pure.
WGKIT_API bool accepts(const Ruleset& ruleset, const Connection& connection);
/// Why ufw's own rules would, once it is active. Errors: system.
WGKIT_API Result<std::optional<std::string>> ufw_refuses(const Connection& connection);

/// A rule of ufw's that never decides, because one before it matches all of its packets.
struct UfwFinding {
    std::size_t number = 0; ///< as `ufw status numbered` counts
    std::string rule;
    std::size_t first_number = 0; ///< of the rule that decides instead
    std::string first_rule;
    bool is_contrary = false; ///< one lets through what the other does not: somebody is mistaken
    bool is_ipv6 = false;
};
/// Of the files user.rules and user6.rules in `folder`, /etc/ufw. Errors: not_found, permission.
WGKIT_API Result<std::vector<UfwFinding>> analyze_ufw(const std::string& folder);

/// Ends the flows that the rules would not let begin. Returns how many; none without conntrack(8).
/// Errors: system.
WGKIT_API Result<std::size_t> cut_flows(const std::vector<Ruleset>& rulesets);

/// Another program's rules that can overrule ours.
struct OtherManager {
    std::string name; ///< e.g. "ufw", "Docker", "table inet filter"
    std::string effect;
};
/// Those whose rules can drop what `backend` accepts, or accept before it is asked.
/// Errors: system.
WGKIT_API Result<std::vector<OtherManager>> other_managers(Backend backend);

/// What was loaded last: /var/lib/wgkit/fw/IFACE.json.
struct AppliedRules {
    RuleText rules;   ///< as they were loaded
    std::string hash; ///< of what was listed then
    std::string time; ///< RFC 3339
};
/// Where the rules that were applied for an interface are recorded.
WGKIT_API std::string applied_path(const std::string& interface);
/// The text of such a file.
WGKIT_API std::string to_text(const AppliedRules& applied);
/// Nothing if there is no such file. Errors: invalid (it is none of ours), permission, system.
WGKIT_API Result<std::optional<AppliedRules>> read_applied(const std::string& path);
/// Replaces the interface's record. Errors: permission, system.
WGKIT_API Result<void> write_applied(const AppliedRules& applied);
/// Removes the interface's record, if there is one. Errors: permission, system.
WGKIT_API Result<void> forget_applied(const std::string& interface);

} // namespace wgkit::fw
