#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "monitor/table.hpp"
#include "wgkit/headscale.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::headscale {

namespace {

constexpr std::chrono::hours newcomer{1}; ///< so long a node may take to connect at first

constexpr std::array<std::string_view, verdict_count> words{"online",   "offline", "expired",
                                                            "expiring", "never",   "unserved"};

struct Judgement {
    Verdict verdict;
    Level level;
    std::string reason;
};

/// What is judged beside the node.
struct Context {
    const Snapshot& snapshot;
    const Limits& limits;
    std::optional<Restart> restart;
};

/// Whether anybody serves the prefix.
bool is_served(const Snapshot& snapshot, const std::string& prefix) {
    return std::any_of(snapshot.nodes.begin(), snapshot.nodes.end(), [&](const Node& node) {
        return std::any_of(node.routes.begin(), node.routes.end(), [&](const Route& route) {
            return route.prefix == prefix && route.served;
        });
    });
}

std::optional<Judgement> unserved(const Node& node, const Snapshot& snapshot) {
    if (!node.online) return std::nullopt; // that says it all
    for (const auto& route : node.routes) {
        if (route.served || is_served(snapshot, route.prefix)) continue;
        return Judgement{Verdict::unserved, Level::warning,
                         fmt::format("route {} is approved and nobody serves it{}", route.prefix,
                                     route.advertised ? "" : "; the node does not advertise it")};
    }
    return std::nullopt;
}

/// `seen_online`: the last look that saw it connected. Headscale may not have written down when it
/// left, if it was killed then.
Judgement offline(const Node& node, const Context& context, Time seen_online,
                  monitor::Expect expect) {
    // Before 0.23 a node was seen a minute ago even while it is connected.
    const seconds grace =
        std::max(context.limits.grace, context.snapshot.heartbeat ? seconds(120) : seconds(0));
    const seconds gone = context.snapshot.now - std::max(*node.last_seen, seen_online);
    const std::string reason = fmt::format("offline for {}", monitor::span_text(gone));
    if (expect == monitor::Expect::roaming) return {Verdict::offline, Level::ok, reason};
    if (context.restart && seen_online >= context.restart->before)
        return {Verdict::offline, Level::ok, reason + "; the control plane has restarted"};
    if (gone <= grace)
        return {Verdict::offline, Level::ok,
                fmt::format("{}, no trouble for {}", reason, monitor::span_text(grace))};
    return {Verdict::offline, Level::critical, reason};
}

Judgement judge(const Node& node, const Context& context, Time seen_online,
                monitor::Expect expect) {
    const Time now = context.snapshot.now;
    if (node.expiry && *node.expiry <= now)
        return {Verdict::expired, Level::critical,
                fmt::format("its key expired {} ago{}", monitor::span_text(now - *node.expiry),
                            node.online ? ", though it counts as online" : "")};
    const bool was_there = node.last_seen || node.online;
    if (!was_there && node.created && now - *node.created > newcomer)
        return {Verdict::never, expect == monitor::Expect::roaming ? Level::ok : Level::warning,
                fmt::format("registered {} ago and never connected",
                            monitor::span_text(now - *node.created))};
    if (!was_there) return {Verdict::never, Level::ok, "has not connected yet"};
    Judgement worst{Verdict::online, Level::ok, "connected"};
    if (!node.online) worst = offline(node, context, seen_online, expect);
    if (worst.level == Level::critical) return worst;
    const seconds left = node.expiry ? *node.expiry - now : seconds::max();
    if (left <= context.limits.warn)
        return {Verdict::expiring, left <= context.limits.alarm ? Level::critical : Level::warning,
                fmt::format("its key expires in {}", monitor::span_text(left))};
    return unserved(node, context.snapshot).value_or(worst);
}

/// Whether every node that was online is offline now, at least two.
bool went_all_at_once(const State& previous, const Snapshot& snapshot) {
    const auto was = std::count_if(previous.nodes.begin(), previous.nodes.end(),
                                   [](const NodeState& node) { return node.online; });
    const bool any = std::any_of(snapshot.nodes.begin(), snapshot.nodes.end(),
                                 [](const Node& node) { return node.online; });
    return was >= 2 && !any;
}

} // namespace

std::string_view to_string(Verdict verdict) { return words.at(static_cast<std::size_t>(verdict)); }

State observe(const State& previous, const Snapshot& snapshot, const monitor::Policy& policy,
              const Limits& limits) {
    State state;
    state.now = snapshot.now;
    state.restart = previous.restart;
    if (went_all_at_once(previous, snapshot)) state.restart = {snapshot.now, previous.now};
    if (state.restart && snapshot.now - state.restart->noticed > limits.grace)
        state.restart.reset();
    std::unordered_map<std::string_view, const NodeState*> before;
    for (const auto& node : previous.nodes) before.emplace(node.id, &node);
    const Context context{snapshot, limits, state.restart};
    for (const auto& node : snapshot.nodes) {
        const auto entry = node.key ? policy.entries.find(*node.key) : policy.entries.end();
        const auto expect =
            entry == policy.entries.end() ? policy.otherwise.expect : entry->second.rule.expect;
        const auto found = before.find(node.id);
        const NodeState* known = found == before.end() ? nullptr : found->second;
        const Time seen_online = node.online        ? snapshot.now
                                 : known != nullptr ? known->seen_online
                                                    : Time{};
        Judgement judgement = judge(node, context, seen_online, expect);
        if (expect == monitor::Expect::ignore) judgement.level = Level::ok;
        const bool same = known != nullptr && known->verdict == judgement.verdict;
        state.nodes.push_back({node.id, judgement.verdict, judgement.level,
                               std::move(judgement.reason), same ? known->since : snapshot.now,
                               node.online, seen_online});
    }
    return state;
}

std::vector<Finding> findings(const State& previous, const State& state, const Snapshot& snapshot,
                              const Limits& limits) {
    Finding restart{"restarted", Level::ok, false, "nodes are connected as usual"};
    if (state.restart) {
        const bool is_new = !previous.restart || *state.restart != *previous.restart;
        restart.lasts = true;
        restart.level = is_new ? Level::warning : Level::ok;
        restart.text = "the control plane has restarted: all nodes went offline together";
    }
    Finding key{"key_expiring", Level::ok, false, "the API key is valid"};
    if (snapshot.key_expiry) {
        const seconds left = *snapshot.key_expiry - snapshot.now;
        key.text =
            fmt::format("the API key of this monitor expires in {}", monitor::span_text(left));
        if (left <= limits.warn) key.level = Level::warning;
        if (left <= limits.alarm) key.level = Level::critical;
        key.lasts = key.level != Level::ok;
    }
    return {restart, key};
}

Level Told::level() const {
    Level worst = Level::ok;
    for (const auto& node : state.nodes) worst = monitor::worse(worst, node.level);
    for (const auto& finding : findings) worst = monitor::worse(worst, finding.level);
    return worst;
}

} // namespace wgkit::headscale
