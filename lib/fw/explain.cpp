// Where a flow goes, and what each node on its way says of it.
#include <fmt/format.h>

#include <algorithm>

#include "fw/constants.hpp"
#include "fw/fleet_policy.hpp"
#include "fw/traffic_text.hpp"
#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

/// One end of a flow: an address, and the node that has it or that it is behind.
struct End {
    IpAddress address;
    std::optional<NodeId> node; ///< nothing: somewhere in the internet
    bool is_behind = false;     ///< behind the node, not the node itself
};

using Kind = mesh::Path::Kind;

class Walk {
  public:
    Walk(const FleetPolicy::Impl& impl, std::size_t network, const End& from, const End& to,
         const Traffic& traffic)
        : impl_(impl), network_(network), from_(from), to_(to) {
        made_.network = impl.directory.fleet().inventory.networks[network].name.value;
        made_.source = from.address;
        made_.destination = to.address;
        made_.traffic = traffic;
    }

    Explanation take() {
        made_.allowed = go() && made_.problem.empty();
        return std::move(made_);
    }

  private:
    const Directory& directory() const { return impl_.directory; }

    std::optional<mesh::NodeIndex> index(NodeId node) const {
        for (const auto& seat : directory().seats(node))
            if (seat.network == network_) return seat.index;
        return std::nullopt;
    }

    bool no_way(std::string why) {
        made_.problem = std::move(why);
        return false;
    }

    bool go() {
        if (!from_.node) { // from the internet to a node itself
            if (!to_.node || to_.is_behind)
                return no_way("nothing in this fleet is between the two");
            return step(*to_.node, Hook::input, false, false, {});
        }
        if (!to_.node) return to_internet();
        if (*from_.node == *to_.node) {
            if (from_.is_behind && !to_.is_behind)
                return step(*to_.node, Hook::input, false, false, {});
            return no_way("the flow does not go through the tunnel");
        }
        const auto first = index(*from_.node);
        const auto last = index(*to_.node);
        if (!first || !last) return no_way("the two share no network");
        const auto path = directory().fleet().plans[network_].path(*first, *last);
        if (path.kind == Kind::none || path.kind == Kind::exit)
            return no_way(fmt::format("nothing links {} and {}: see wgkit mesh explain",
                                      directory().name(*from_.node), directory().name(*to_.node)));
        if (from_.is_behind && !step(*from_.node, Hook::forward, false, true, {})) return false;
        std::string voucher = from_.is_behind ? directory().name(*from_.node) : "";
        if (path.kind != Kind::direct) {
            const NodeId via = node_at(path.via);
            if (via != *from_.node && via != *to_.node) {
                if (!step(via, Hook::forward, true, true, voucher)) return false;
                voucher = directory().name(via);
            }
        }
        return step(*to_.node, to_.is_behind ? Hook::forward : Hook::input, true, false, voucher);
    }

    NodeId node_at(mesh::NodeIndex index) const {
        const auto& member = directory().fleet().plans[network_].member(index);
        return *directory().find(member.node->name.value);
    }

    bool to_internet() {
        const auto first = index(*from_.node);
        if (!first) return no_way("not in this network");
        const auto& node = *directory().fleet().plans[network_].member(*first).node;
        if (!node.exit_via)
            return no_way(fmt::format("{} has no exit node: it reaches the internet by itself",
                                      node.name.value));
        const auto exit = directory().find(node.exit_via->value);
        if (!exit) return no_way("there is no such exit node");
        return step(*exit, Hook::forward, true, false, {});
    }

    bool step(NodeId node, Hook hook, bool in, bool out, std::string vouched_by) {
        for (const auto& seat : directory().seats(node)) {
            if (seat.network != network_) continue;
            auto made = std::make_unique<Step>();
            made->node = directory().name(node);
            made->ruleset = impl_.compile(node, seat);
            Packet& packet = made->packet;
            packet.hook = hook;
            packet.in_tunnel = in;
            packet.out_tunnel = out;
            packet.source = from_.address;
            packet.destination = to_.address;
            packet.protocol = made_.traffic.protocol.value_or(tcp);
            packet.destination_port = made_.traffic.first_port;
            made->vouched_by = std::move(vouched_by);
            made->decision = evaluate(made->ruleset, packet);
            const bool goes_on = made->decision.verdict != Decision::Verdict::drop;
            made_.steps.push_back(std::move(made));
            return goes_on;
        }
        return no_way("not in this network");
    }

    const FleetPolicy::Impl& impl_;
    std::size_t network_;
    End from_;
    End to_;
    Explanation made_;
};

/// The ends that a name means in a network, one for each family.
Result<std::vector<End>> ends_of(const FleetPolicy::Impl& impl, std::size_t network,
                                 const std::string& name) {
    std::vector<End> ends;
    const auto& directory = impl.directory;
    if (const auto node = directory.find(name)) {
        for (const auto& seat : directory.seats(*node))
            if (seat.network == network && directory.member(seat).active)
                for (const auto& address : directory.member(seat).addresses)
                    ends.push_back({address.address, *node, false});
        return ends;
    }
    Diagnostics found;
    const Party party = directory.look_up({{name, {}}}, found);
    if (found.errors() != 0)
        return Error{Errc::not_found, found.all().front().message, found.all().front().hint};
    if (party.internet) {
        ends.push_back({*IpAddress::parse("192.0.1.1"), std::nullopt, false});
        ends.push_back({*IpAddress::parse("2000::1"), std::nullopt, false});
        return ends;
    }
    if (party.everyone || !party.nodes.empty())
        return Error{Errc::invalid, fmt::format("'{}' is many nodes", name), "name one of them"};
    for (const auto& prefix : party.prefixes) {
        if (const auto owner = directory.owner(prefix.address)) {
            ends.push_back({prefix.address, owner, false});
        } else if (const auto* route = directory.route_to(prefix.address)) {
            ends.push_back({prefix.address, route->node, true});
        } else {
            ends.push_back({prefix.address, std::nullopt, false});
        }
    }
    return ends;
}

struct Flow {
    std::string from;
    std::string to;
    std::vector<Traffic> traffic;
};

Result<Flow> parse_flow(std::string_view text) {
    const Error shape{Errc::invalid, fmt::format("'{}' is no flow", text),
                      "write 'FROM -> TO: PORTS', e.g. 'alice -> db: 5432/tcp', in quotes"};
    const auto arrow = text.find("->");
    if (arrow == text.npos) return shape;
    std::string_view right = text.substr(arrow + 2);
    // Of an IPv6 address without brackets the last colon parts the port, as in 'a -> fd00::1:
    // 22/tcp'.
    const auto colon = right.rfind(':');
    if (colon == right.npos) return shape;
    auto traffic = parse_traffic(right.substr(colon + 1));
    if (!traffic) return traffic.error();
    Flow flow{std::string(ascii::trim(text.substr(0, arrow))),
              std::string(ascii::trim(right.substr(0, colon))), *std::move(traffic)};
    if (flow.from.empty() || flow.to.empty()) return shape;
    return flow;
}

/// Every way from one to the other: a network and family each.
Result<std::vector<Explanation>> walks(const FleetPolicy::Impl& impl, const std::string& from,
                                       const std::string& to, const Traffic& traffic) {
    std::vector<Explanation> list;
    const auto& networks = impl.directory.fleet().inventory.networks;
    for (std::size_t n = 0; n < networks.size(); ++n) {
        auto sources = ends_of(impl, n, from);
        if (!sources) return sources.error();
        auto targets = ends_of(impl, n, to);
        if (!targets) return targets.error();
        for (const auto& source : *sources)
            for (const auto& target : *targets) {
                const Family family = source.address.family();
                const bool is_other_icmp =
                    traffic.protocol && (*traffic.protocol == icmp || *traffic.protocol == icmpv6)
                    && *traffic.protocol != icmp_protocol(family);
                if (family != target.address.family() || is_other_icmp) continue;
                list.push_back(Walk(impl, n, source, target, traffic).take());
            }
    }
    return list;
}

} // namespace

Result<std::vector<Explanation>> FleetPolicy::explain(std::string_view text) const {
    const auto flow = parse_flow(text);
    if (!flow) return flow.error();
    std::vector<Explanation> list;
    for (const auto& traffic : flow->traffic) {
        auto some = walks(*impl_, flow->from, flow->to, traffic);
        if (!some) return some.error();
        for (auto& one : *some) list.push_back(std::move(one));
    }
    if (list.empty())
        return Error{Errc::invalid,
                     fmt::format("{} and {} have no address of one family", flow->from, flow->to),
                     {}};
    return list;
}

void FleetPolicy::run_tests(Diagnostics& diagnostics) const {
    for (const auto& test : impl_->policy.tests) {
        const auto ways = walks(*impl_, test.from.value, test.to.value, test.traffic);
        if (!ways) {
            diagnostics.error("policy-test", test.from.mark, ways.error().message).hint =
                ways.error().hint;
            continue;
        }
        const std::string flow =
            fmt::format("{} -> {}: {}", test.from.value, test.to.value, to_string(test.traffic));
        if (ways->empty())
            diagnostics.error("policy-test", test.mark,
                              fmt::format("'{}': the two have no address of one family", flow));
        for (const auto& way : *ways) {
            if (way.allowed == test.reach) continue;
            std::string why = way.problem;
            if (why.empty() && !way.steps.empty()) {
                const Step& last = *way.steps.back();
                why = last.decision.rule != nullptr
                          ? fmt::format("{} lets it through by line {}: {}", last.node,
                                        last.decision.rule->mark.line, last.decision.rule->text)
                          : fmt::format("{}: {}", last.node, last.decision.reason);
            }
            diagnostics
                .error("policy-test", test.mark,
                       fmt::format("'{}' must {}, but {} ({} -> {})", flow,
                                   test.reach ? "be let through" : "be refused",
                                   test.reach ? "is not" : "is", to_string(way.source),
                                   to_string(way.destination)))
                .hint = why;
        }
    }
}

} // namespace wgkit::fw
