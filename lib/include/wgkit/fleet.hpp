#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/config.hpp"
#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// What `wgkit fleet` and its nodes say to each other: one request and one answer for each run of
/// `wgkit fleet node` over ssh, each a JSON document. Secrets stand in them, never on a command
/// line. Documented in wgkit-fleet(1).
namespace wgkit::fleet {

/// Counts changes that an older partner would misunderstand. Unknown fields are passed over, so
/// that new ones need no new number.
inline constexpr std::uint32_t protocol_version = 1;

/// An interface's file as a node should have it.
struct WantedFile {
    std::string interface;
    SecretString config;    ///< without PrivateKey if the node keeps its own
    std::string settings;   ///< of the kernel, as of sysctl.d(5); empty: none
    std::string state_hash; ///< of the state that the plan was made from; empty: any
};

/// The rules of a node's firewall, for all its interfaces.
struct WantedFirewall {
    std::string rules; ///< as `wgkit fw --rules` takes them
    std::vector<std::string> interfaces;
    std::string state_hash; ///< of the rules that the plan was made from; empty: any
};

/// What the operator's program asks of a node, as JSON on its standard input.
struct NodeRequest {
    std::uint32_t protocol = protocol_version;
    std::string verb;
    std::string operator_name; ///< who asks, for the node's log
    std::vector<WantedFile> files;
    std::optional<WantedFirewall> firewall; ///< absent: rules are left alone
    bool echo = true;                       ///< peers answer echo requests through the tunnel
    std::vector<PublicKey> revoked;         ///< keys that nothing may bring back
    std::chrono::seconds confirm{0};        ///< 0: the change stays without confirmation
    std::chrono::seconds patience{0};       ///< how long peers may take to answer
    std::optional<std::uint32_t> removals;  ///< peers that may go; absent: as `guard`
    std::vector<std::string> words;         ///< further arguments of the verb
};

/// A peer as a node sees it.
struct NodePeer {
    PublicKey key;
    std::string endpoint;       ///< empty: unknown
    std::int64_t handshake = 0; ///< Units: seconds since 1970; 0: never
    std::uint64_t received = 0; ///< Units: bytes
    std::uint64_t sent = 0;
    std::vector<Prefix> allowed_ips;
};

/// An interface as its node has it.
struct NodeInterface {
    std::string name;
    bool has_file = false;
    bool is_up = false;
    std::optional<PublicKey> key;
    std::uint16_t port = 0;
    std::string state_hash;                ///< of device and file together
    SecretString config;                   ///< only for `export`: the file, without its private key
    std::vector<NodePeer> peers;           ///< of the running device
    std::vector<std::string> file_changes; ///< for `plan`: what a file would change, in words
    std::string device_changes; ///< for `plan`: JSON of `wgkit net plan --json`; empty: none
    std::size_t drift = 0;      ///< for `state`: changes that would make the device its file
    std::optional<std::chrono::seconds> pending; ///< a change waits for confirmation: time left
    bool can_go_back = false; ///< a change was made or confirmed, but neither kept nor undone
};

/// The rules of WireGuard interfaces as a node has them.
struct NodeFirewall {
    std::string backend;              ///< "nftables", ...
    std::string state_hash;           ///< of what is loaded
    std::vector<std::string> changes; ///< lines: `+ IPv4 input wg0: accept ...`
};

/// What a node answers, as JSON on its standard output.
struct NodeAnswer {
    std::uint32_t protocol = protocol_version;
    std::string version;     ///< of wgkit
    std::string host_name;   ///< as the machine calls itself
    std::string boot_id;     ///< another one after each start
    std::int64_t now = 0;    ///< Units: seconds since 1970
    std::string ssh_through; ///< the interface that the ssh connection comes through, if it is ours
    std::optional<Error> error;
    std::vector<std::string> warnings;
    std::vector<NodeInterface> interfaces;
    std::optional<NodeFirewall> firewall; ///< for `plan`, if rules were asked for
    bool firewall_waits = false;     ///< a change of rules was made, but neither kept nor undone
    std::vector<PublicKey> revoked;  ///< the node's list
    std::vector<PublicKey> answered; ///< peers that answered an echo through the tunnel
    std::vector<PublicKey> silent;   ///< peers that did so before the change, and do not now
    SecretString output;             ///< of a verb that runs another program
};

/// The document; secret, since a request may hold preshared keys.
WGKIT_API SecretString to_text(const NodeRequest& request);
/// Errors: invalid (not such a document), conflict (another protocol version).
WGKIT_API Result<NodeRequest> parse_request(std::string_view text);
/// The document; secret, since an answer may hold preshared keys.
WGKIT_API SecretString to_text(const NodeAnswer& answer);
/// Errors: invalid (not such a document), conflict (another protocol version).
WGKIT_API Result<NodeAnswer> parse_answer(std::string_view text);

/// The text of a rendered file with the node's own key in place of the command that loads it.
WGKIT_API SecretString with_private_key(std::string_view rendered, const std::string& interface,
                                        const PrivateKey& key);
/// A file's text without its private key.
WGKIT_API SecretString without_private_key(std::string_view text);

/// What differs between two files of one interface, a line each, secrets named but never shown:
/// `+ peer c`, `- peer b`, `~ peer a: endpoint x:1 -> y:1`, `~ MTU`. Empty if both mean the same,
/// whatever their comments and the order of their peers. Private keys are not compared if one file
/// has none. Pure.
WGKIT_API std::vector<std::string> compare_files(const config::Config& before,
                                                 const config::Config& after);

/// Nodes in the order in which a change reaches them: `canary` of them first, then up to `size` at
/// a time. Pure.
WGKIT_API std::vector<std::vector<std::string>> plan_waves(const std::vector<std::string>& nodes,
                                                           std::size_t canary, std::size_t size);

/// Who did what to a fleet, and when: one line of its log.
struct LogEntry {
    std::uint64_t number = 0; ///< counts from 1
    std::int64_t time = 0;    ///< Units: seconds since 1970
    std::string who;          ///< user@host
    std::string action;       ///< "apply", "revoke", ...
    std::vector<std::string> nodes;
    std::string result; ///< "done", "failed", "pending"
    std::string detail; ///< a line; holds no secret
    std::string hash;   ///< of this line and, through that of the line before, of all before it
};

/// Appends an entry, durably; number, time and hash are filled in. Each line holds the SHA-256 of
/// the one before, so that none can be changed or taken out without changing all that follow. What
/// a killed run left of a line is replaced.
/// Errors: invalid (the chain is broken at its end), permission, system.
WGKIT_API Result<LogEntry> append_log(const std::string& path, LogEntry entry);

/// All entries, the chain checked; none if there is no file.
/// Errors: invalid with file:line: a line that was changed, added or taken out; permission, system.
WGKIT_API Result<std::vector<LogEntry>> read_log(const std::string& path);

} // namespace wgkit::fleet
