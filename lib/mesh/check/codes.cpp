#include "mesh/check/codes.hpp"

namespace wgkit::mesh {

namespace {

constexpr Severity error = Severity::error;
constexpr Severity warning = Severity::warning;

constexpr CodeInfo codes[] = {
    {"address-outside-pool", error, "a node's address is not in the pool of its network"},
    {"alias-budget", error, "YAML aliases expand to more than a million values, or to themselves"},
    {"bad-value", error, "a value is not what its field takes"},
    {"depends-on-inactive", error, "an exit, hub or relay that others need is disabled or expired"},
    {"duplicate-address", error, "two nodes have the same address"},
    {"duplicate-endpoint", error, "two nodes have the same host and port on one underlay"},
    {"duplicate-interface", error, "one node has the same interface in two networks"},
    {"duplicate-key", error, "two nodes have the same public key"},
    {"duplicate-name", error, "two nodes, or two networks, have the same name"},
    {"duplicate-port", error, "one node listens on the same port in two networks"},
    {"duplicate-route", error, "the same subnet is claimed twice"},
    {"duplicate-yaml-key", error, "a mapping sets the same key twice"},
    {"endpoint-in-tunnel", error, "an endpoint is an address of the network that it should carry"},
    {"exit-not-offered", error, "`exit_via` names a node without `exit`"},
    {"exit-without-dns", warning, "a node sends all its traffic through an exit, but not its DNS"},
    {"expired", warning, "a node is left out, because its day has come"},
    {"format-cannot", error, "the node's format has no way to say this"},
    {"host-bits", error, "a prefix has bits set beyond its length"},
    {"keepalive-too-long", warning, "many NATs forget a mapping before the next keepalive"},
    {"key-on-node", warning, "reloading wg-quick erases a private key that is kept on the node"},
    {"missing-field", error, "a required field is not there"},
    {"missing-public-key", error, "a node keeps its own private key and its public key is unknown"},
    {"mtu-asymmetry", warning, "the two ends of a link have different MTUs"},
    {"mtu-below-ipv6", warning, "IPv6 needs an MTU of at least 1280"},
    {"no-path", error, "nodes are linked, but neither can be reached and nothing carries for them"},
    {"not-a-dns-label", error, "a name is not a DNS label; it becomes paths and hosts entries"},
    {"overlapping-allowed-ips", warning, "a subnet lies in another node's, or in a pool"},
    {"overlapping-pools", error, "two networks that share a node have overlapping pools"},
    {"own-peer", error, "a node is its own peer, link or exit"},
    {"pool-exhausted", error, "a pool has no address left"},
    {"port-out-of-range", error, "a port is not between 1 and 65535"},
    {"search-only-dns", warning, "`dns` has search domains only, and wg-quick then sets nothing"},
    {"shadowed-allowed-ips", error, "an override gives one peer what another peer has"},
    {"unbracketed-ipv6", error, "an IPv6 endpoint is not in brackets"},
    {"unknown-field", error, "a field is not known here"},
    {"unknown-network", error, "no network has this name"},
    {"unknown-node", error, "no node has this name"},
    {"unknown-tag", error, "no node has this tag"},
    {"wrong-type", error, "a list, a mapping or text stands where another of them is needed"},
    {"yaml-syntax", error, "the file is not one YAML document"},
};

} // namespace

std::span<const CodeInfo> diagnostic_codes() { return codes; }

} // namespace wgkit::mesh
