#include "mesh/inventory/node_reader.hpp"

#include <algorithm>
#include <unordered_map>

#include "mesh/inventory/field_reader.hpp"
#include "util/dns_entry.hpp"

namespace wgkit::mesh {

using yaml::Kind;
using yaml::Value;

namespace {

using Read = void (*)(const Value&, Node&, Diagnostics&);

enum class Allowed {
    anywhere,
    per_node, ///< says who or where the node is, so defaults and groups cannot set it
    in_node,  ///< the same in every network
};

/// One row of the table of node fields: parsing, suggestions and the documentation test use it.
struct Field {
    std::string_view name;
    Allowed allowed;
    Read read;

    bool fits(FieldScope scope) const {
        return scope == FieldScope::node || allowed == Allowed::anywhere
               || (scope == FieldScope::network && allowed == Allowed::per_node);
    }
};

/// Assigns what a field reader returned, if anything.
template <class T, class U>
void set(T& target, std::optional<U> value) {
    if (value) target = std::move(*value);
}

template <class T, class U>
void set_located(std::optional<Located<T>>& target, std::optional<U> value, Mark mark) {
    if (value) target = Located<T>{std::move(*value), mark};
}

std::vector<std::string> values_of(const std::vector<Located<std::string>>& list) {
    std::vector<std::string> values;
    for (const auto& one : list) values.push_back(one.value);
    return values;
}

void read_underlays(const Value& value, Node& node, Diagnostics& d) {
    if (!field::expect(value, Kind::sequence, d)) return;
    node.underlays.clear();
    for (const auto& item : value.items) {
        if (item.kind == Kind::scalar) {
            if (const auto name = field::label(item, d)) node.underlays.push_back({*name, {}});
            continue;
        }
        if (!field::expect(item, Kind::map, d)) continue;
        Underlay underlay;
        for (const auto& [key, mark, part] : item.members) {
            if (key == "name")
                set(underlay.name, field::label(part, d));
            else if (key == "endpoint")
                set_located(underlay.endpoint, field::endpoint(part, d), part.mark);
            else
                field::unknown(key, mark, {"name", "endpoint"}, d);
        }
        if (underlay.name.empty() && item.find("name") == nullptr)
            d.error("missing-field", item.mark, "an underlay needs a name");
        else
            node.underlays.push_back(std::move(underlay));
    }
}

void read_endpoint(const Value& value, Node& node, Diagnostics& d) {
    if (const auto endpoint = field::endpoint(value, d))
        node.underlays = {{"internet", Located<Endpoint>{*endpoint, value.mark}}};
}

void read_hooks(const Value& value, Node& node, Diagnostics& d) {
    if (!field::expect(value, Kind::map, d)) return;
    for (const auto& [key, mark, part] : value.members) {
        std::vector<std::string>* target = key == "pre_up"      ? &node.hooks.pre_up
                                           : key == "post_up"   ? &node.hooks.post_up
                                           : key == "pre_down"  ? &node.hooks.pre_down
                                           : key == "post_down" ? &node.hooks.post_down
                                                                : nullptr;
        if (target == nullptr)
            field::unknown(key, mark, {"pre_up", "post_up", "pre_down", "post_down"}, d);
        else if (const auto lines = field::texts(part, d))
            *target = values_of(*lines);
    }
}

void read_ssh(const Value& value, Node& node, Diagnostics& d) {
    if (value.kind == Kind::scalar) return set(node.ssh.host, field::text(value, d));
    if (!field::expect(value, Kind::map, d)) return;
    for (const auto& [key, mark, part] : value.members) {
        if (key == "host")
            set(node.ssh.host, field::text(part, d));
        else if (key == "user")
            set(node.ssh.user, field::text(part, d));
        else if (key == "port")
            set(node.ssh.port, field::port(part, d));
        else if (key == "jump")
            set(node.ssh.jump, field::text(part, d));
        else if (key == "sudo")
            node.ssh.sudo = field::boolean(part, d);
        else
            field::unknown(key, mark, {"host", "user", "port", "jump", "sudo"}, d);
    }
}

void read_exit(const Value& value, Node& node, Diagnostics& d) {
    static constexpr field::Choice<FirewallTool> tools[] = {{"nftables", FirewallTool::nftables},
                                                            {"iptables", FirewallTool::iptables}};
    if (value.kind == Kind::map) {
        node.exit = FirewallTool::nftables;
        for (const auto& [key, mark, part] : value.members) {
            if (key == "firewall")
                set(*node.exit, field::choice(part, tools, d));
            else
                field::unknown(key, mark, {"firewall"}, d);
        }
    } else if (const auto offered = field::boolean(value, d)) {
        node.exit = *offered ? std::optional(FirewallTool::nftables) : std::nullopt;
    }
}

void read_accept_routes(const Value& value, Node& node, Diagnostics& d) {
    std::vector<Prefix> accepted;
    if (value.kind == Kind::sequence) {
        for (const auto& one : field::prefixes(value, d).value_or(std::vector<Located<Prefix>>{}))
            accepted.push_back(one.value);
    } else {
        const auto all = field::boolean(value, d);
        if (all.value_or(true)) return node.accept_routes.reset();
    }
    node.accept_routes = Located<std::vector<Prefix>>{std::move(accepted), value.mark};
}

PeerOverride read_override(const std::string& peer, Mark peer_mark, const Value& value,
                           Diagnostics& d) {
    PeerOverride result{{peer, peer_mark}, {}, {}, {}, {}, {}, {}};
    if (!field::expect(value, Kind::map, d)) return result;
    for (const auto& [key, mark, part] : value.members) {
        if (key == "allowed_ips") {
            if (const auto list = field::prefixes(part, d)) {
                result.allowed_ips.emplace();
                for (const auto& one : *list) {
                    result.allowed_ips->push_back(one.value);
                    result.allowed_ips_marks.push_back(one.mark);
                }
            }
        } else if (key == "endpoint") {
            set(result.endpoint, field::endpoint(part, d));
        } else if (key == "keepalive") {
            set(result.keepalive, field::keepalive(part, d));
            result.keepalive_mark = part.mark;
        } else if (key == "psk") {
            result.psk = read_psk_mode(part, d);
        } else {
            field::unknown(key, mark, {"allowed_ips", "endpoint", "keepalive", "psk"}, d);
        }
    }
    return result;
}

void read_peers(const Value& value, Node& node, Diagnostics& d) {
    if (!field::expect(value, Kind::map, d)) return;
    node.peers.clear();
    for (const auto& [key, mark, part] : value.members)
        node.peers.push_back(read_override(key, mark, part, d));
}

void read_dns(const Value& value, Node& node, Diagnostics& d) {
    auto list = field::texts(value, d);
    if (!list) return;
    node.dns.clear();
    for (auto& entry : *list) {
        if (dns_entry(entry.value))
            node.dns.push_back(std::move(entry));
        else
            d.error("bad-value", entry.mark,
                    "'" + entry.value + "' is neither a DNS server nor a search domain");
    }
}

void read_mtu(const Value& value, Node& node, Diagnostics& d) {
    if (const auto mtu = field::number(value, 576, 65535, d))
        node.mtu = Located<std::uint16_t>{static_cast<std::uint16_t>(*mtu), value.mark};
}

void read_format(const Value& value, Node& node, Diagnostics& d) {
    static constexpr field::Choice<Format> formats[] = {{"wg-quick", Format::wg_quick},
                                                        {"networkd", Format::networkd},
                                                        {"networkmanager", Format::networkmanager},
                                                        {"netplan", Format::netplan}};
    if (const auto format = field::choice(value, formats, d)) node.format = {*format, value.mark};
}

void read_custody(const Value& value, Node& node, Diagnostics& d) {
    static constexpr field::Choice<Custody> places[] = {{"local", Custody::local},
                                                        {"node", Custody::node}};
    set(node.keys, field::choice(value, places, d));
}

void read_table(const Value& value, Node& node, Diagnostics& d) {
    const auto table = field::text(value, d);
    if (!table) return;
    const bool word = *table == "off" || *table == "auto" || *table == "main";
    if (word || field::number(value, 1, 0xFFFFFFFF, d)) node.table = *table;
}

// clang-format off
constexpr Field fields[] = {
    {"name", Allowed::in_node, [](const Value& v, Node& n, Diagnostics& d) { n.name.mark = v.mark; set(n.name.value, field::label(v, d)); }},
    {"tags", Allowed::in_node, [](const Value& v, Node& n, Diagnostics& d) { set(n.tags, field::texts(v, d)); }},
    {"endpoint", Allowed::per_node, read_endpoint},
    {"underlays", Allowed::anywhere, read_underlays},
    {"routes", Allowed::per_node, [](const Value& v, Node& n, Diagnostics& d) { set(n.routes, field::prefixes(v, d)); }},
    {"accept_routes", Allowed::anywhere, read_accept_routes},
    {"ipv4", Allowed::per_node, [](const Value& v, Node& n, Diagnostics& d) { set_located(n.ipv4, field::address(v, Family::ipv4, d), v.mark); }},
    {"ipv6", Allowed::per_node, [](const Value& v, Node& n, Diagnostics& d) { set_located(n.ipv6, field::address(v, Family::ipv6, d), v.mark); }},
    {"public_key", Allowed::per_node, [](const Value& v, Node& n, Diagnostics& d) { set_located(n.public_key, field::public_key(v, d), v.mark); }},
    {"port", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set(n.port, field::port(v, d)); }},
    {"mtu", Allowed::anywhere, read_mtu},
    {"dns", Allowed::anywhere, read_dns},
    {"keepalive", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set_located(n.keepalive, field::keepalive(v, d), v.mark); }},
    {"table", Allowed::anywhere, read_table},
    {"fwmark", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set(n.fwmark, field::number(v, 0, 0xFFFFFFFF, d)); }},
    {"interface", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set(n.interface, field::interface(v, d)); }},
    {"format", Allowed::anywhere, read_format},
    {"hooks", Allowed::anywhere, read_hooks},
    {"expires", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set_located(n.expires, field::date(v, d), v.mark); }},
    {"disabled", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set(n.disabled, field::boolean(v, d)); }},
    {"managed", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set(n.managed, field::boolean(v, d)); }},
    {"ssh", Allowed::anywhere, read_ssh},
    {"keys", Allowed::anywhere, read_custody},
    {"psk", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { n.psk = read_psk_mode(v, d); }},
    {"relay", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set(n.relay, field::boolean(v, d)); }},
    {"exit", Allowed::anywhere, read_exit},
    {"exit_via", Allowed::anywhere, [](const Value& v, Node& n, Diagnostics& d) { set_located(n.exit_via, field::text(v, d), v.mark); }},
    {"peers", Allowed::per_node, read_peers},
};
// clang-format on

/// Where the mark of a field goes whose value has none.
Mark* mark_for(std::string_view field, FieldMarks& marks) {
    if (field == "port") return &marks.port;
    if (field == "interface") return &marks.interface;
    if (field == "hooks") return &marks.hooks;
    if (field == "disabled") return &marks.disabled;
    if (field == "keys") return &marks.keys;
    if (field == "exit") return &marks.exit;
    if (field == "relay") return &marks.relay;
    return nullptr;
}

const Field* find_field(std::string_view name, FieldScope scope) {
    const auto match = std::find_if(std::begin(fields), std::end(fields),
                                    [&](const Field& f) { return f.name == name; });
    return match != std::end(fields) && match->fits(scope) ? match : nullptr;
}

} // namespace

std::vector<std::string_view> node_field_names(FieldScope scope) {
    std::vector<std::string_view> names;
    for (const auto& field : fields)
        if (field.fits(scope)) names.push_back(field.name);
    if (scope == FieldScope::node) names.emplace_back("networks");
    return names;
}

void apply_node_fields(const Value& map, FieldScope scope, Node& node, Diagnostics& diagnostics) {
    for (const auto& [key, mark, value] : map.members) {
        if (const Field* field = find_field(key, scope)) {
            field->read(value, node, diagnostics);
            if (Mark* place = mark_for(key, node.marks)) *place = value.mark;
        } else if (scope != FieldScope::node || key != "networks") {
            field::unknown(key, mark, node_field_names(scope), diagnostics);
        }
    }
}

PskMode read_psk_mode(const Value& value, Diagnostics& diagnostics) {
    static constexpr field::Choice<PskMode> modes[] = {
        {"none", PskMode::none}, {"per-pair", PskMode::per_pair}, {"external", PskMode::external}};
    return field::choice(value, modes, diagnostics).value_or(PskMode::none);
}

} // namespace wgkit::mesh
