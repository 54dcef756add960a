#include "net/changing.hpp"

#include <fmt/format.h>

namespace wgkit::tool::net {

Result<HostState> read_host(const std::string& interface, const HostGoal& goal,
                            std::uint32_t mark) {
    auto state = read_host_state(interface, goal.has_rules ? mark : 0);
    if (!state || !goal.has_rules) {
        if (state) state->filters.clear();
        return state;
    }
    const auto other_mark = mark == goal.mark_before ? goal.mark_after : goal.mark_before;
    if (other_mark == mark || other_mark == 0) return state;
    const auto other = read_host_state(interface, other_mark);
    if (!other) return other;
    state->rules.insert(state->rules.end(), other->rules.begin(), other->rules.end());
    return state;
}

int Changing::change(DeviceChange change, const std::optional<HostGoal>& host) {
    const DeviceChange removals = take_removals(change);
    (void)(set(change) && (!host || reach(*host)) && set(removals));
    return has_failed_ ? exit_failed : exit_ok;
}

bool Changing::set(const DeviceChange& change) {
    if (change.empty()) return true;
    const auto refused = backend_.set(change);
    if (!refused) return fail(refused.error());
    for (const auto& peer : *refused)
        fail({peer.error.code,
              fmt::format("peer {}: {}", to_string(peer.public_key), peer.error.message),
              "the others have changed"});
    return true;
}

/// A step may take something along, as the kernel does with the routes of an address: so it is
/// looked again until nothing is left to do.
bool Changing::reach(const HostGoal& host) {
    constexpr int most_rounds = 4;
    for (int round = 0; round < most_rounds; ++round) {
        const auto mark = round == 0 ? host.mark_before : host.mark_after;
        const auto present = read_host(interface_, host, mark);
        if (!present) return fail(present.error());
        const auto steps = diff(host.wanted, *present, host.owned);
        if (steps.empty()) return true;
        for (const auto& rule : host.wanted.rules)
            if (rule.unless_mark)
                if (auto noted = lock_.remember_mark(*rule.unless_mark); !noted)
                    return fail(noted.error());
        for (const auto& step : steps)
            if (auto done = apply_step(step, interface_); !done) return fail(done.error());
    }
    return fail({Errc::conflict,
                 fmt::format("addresses or routes of {} are not what was asked for", interface_),
                 "another program may be changing them"});
}

bool Changing::fail(const Error& error) {
    report_.error(error);
    has_failed_ = true;
    return false;
}

} // namespace wgkit::tool::net
