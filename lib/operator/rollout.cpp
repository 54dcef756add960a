// A change that goes through the fleet in waves.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <thread>

#include "agent/compose.hpp"
#include "operator/draft.hpp"
#include "operator/hints.hpp"
#include "operator/stage.hpp"
#include "wgkit/fleet_store.hpp"

namespace wgkit::agent {

namespace {

constexpr std::chrono::milliseconds status_pause{250};

/// A node's configuration without its key; empty if it has none.
config::Config config_of(const mesh::Fleet& fleet, const std::string& node) {
    const PrivateKey nobody(std::array<std::uint8_t, key_bytes>{});
    auto own = own_config(fleet, node, nobody);
    if (!own) return {};
    own->config.interface.private_key.reset();
    return std::move(own->config);
}

Result<std::vector<NodeChange>> changes_between(const trust::FleetObject& fleet_before,
                                                const Records& before,
                                                const trust::FleetObject& fleet_after,
                                                const Records& after) {
    const auto compose = [](const trust::FleetObject& fleet, const Records& records) {
        return fleet.nodes_yaml.empty() ? Result<mesh::Fleet>(mesh::Fleet())
                                        : compose_fleet(fleet, values_of(records), mesh::today());
    };
    const auto old = compose(fleet_before, before);
    if (!old) return old.error();
    const auto wanted = compose(fleet_after, after);
    if (!wanted) return wanted.error();
    Records all = after;
    all.insert(before.begin(), before.end());
    std::vector<NodeChange> out;
    for (const auto& [name, record] : all) {
        if (!record.agent) continue;
        NodeChange change{name, config_of(*old, name), config_of(*wanted, name)};
        if (config::write(change.before) != config::write(change.after))
            out.push_back(std::move(change));
    }
    return out;
}

bool is_same(const trust::FleetObject& a, const Records& a_records, const trust::FleetObject& b,
             const Records& b_records) {
    return to_json(a) == to_json(b)
           && std::equal(a_records.begin(), a_records.end(), b_records.begin(), b_records.end(),
                         [](const auto& one, const auto& other) {
                             return to_json(one.second) == to_json(other.second);
                         });
}

class Waves {
  public:
    Waves(const Operator& op, Home home, store::Client& client)
        : op_(op), home_(std::move(home)), client_(client), layout_{home_.network} {}

    Result<Draft> open() { return Draft::open(home_, client_, std::time(nullptr)); }
    const Home& home() const { return home_; }

    Result<std::uint64_t> run(Draft draft, const WaveOptions& options) {
        std::size_t number = 0;
        for (const auto& wave : options.waves) {
            ++number;
            if (number > 1) { // the state has gone on meanwhile
                auto next = open();
                if (!next) return next.error();
                draft = *std::move(next);
                if (!draft.rollout)
                    return Error{Errc::conflict, "somebody has withdrawn the change meanwhile", {}};
            }
            auto& following = draft.rollout->following;
            for (const auto& name : wave)
                if (std::find(following.begin(), following.end(), name) == following.end())
                    following.push_back(name);
            const std::string what = fmt::format("wave {} of {}: {}", number, options.waves.size(),
                                                 fmt::join(wave, ", "));
            const auto revision = draft.publish("apply-wave", what.substr(0, 200), op_.valid_for);
            if (!revision) return revision.error();
            if (options.tell) options.tell(what);
            if (auto well = await(wave, *revision, options.patience); !well) {
                if (auto back = withdraw(well.error().message); !back) return back.error();
                return well.error();
            }
        }
        auto last = open();
        if (!last) return last.error();
        last->rollout.reset();
        return last->publish("apply", fmt::format("{} waves", options.waves.size()), op_.valid_for);
    }

    Result<void> withdraw(const std::string& why) {
        auto draft = open();
        if (!draft) return draft.error();
        if (!draft->rollout) return Error{Errc::not_found, "no change is under way", {}};
        draft->fleet = draft->rollout->fleet;
        draft->records = std::move(draft->rollout->records);
        draft->rollout.reset();
        const auto done = draft->publish("apply-withdraw", why.substr(0, 200), op_.valid_for);
        if (!done) return done.error();
        return {};
    }

  private:
    /// Waits until all of a wave say that they have it and are well.
    Result<void> await(const std::vector<std::string>& wave, std::uint64_t revision,
                       std::chrono::seconds patience) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (true) {
            const auto draft = open();
            if (!draft) return draft.error();
            const auto& state = *draft->follower().state();
            const auto hints = read_hints(client_, layout_, state, state.records);
            if (!hints) return hints.error();
            std::vector<std::string> silent;
            for (const auto& name : wave) {
                if (!draft->records.contains(name)) continue; // it goes, or was revoked
                const auto hint = hints->find(name);
                if (hint == hints->end() || hint->second.revision < revision)
                    silent.push_back(name);
                else if (hint->second.status != "applied")
                    return Error{Errc::conflict, fmt::format("{}: {}", name, hint->second.status),
                                 "the change was withdrawn: all go on as before it"};
            }
            if (silent.empty()) return {};
            if (std::chrono::steady_clock::now() >= end)
                return Error{Errc::conflict,
                             fmt::format("{} did not answer", fmt::join(silent, ", ")),
                             "the change was withdrawn: all go on as before it"};
            std::this_thread::sleep_for(status_pause);
        }
    }

    const Operator& op_;
    Home home_;
    store::Client& client_;
    store::Layout layout_;
};

} // namespace

Result<PublishPlan> plan_publish(const Operator& op, const mesh::Fleet& fleet,
                                 std::optional<bool> drop_unrefreshed) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    if (draft->rotation) return refuse_if_busy(*draft).error();
    PublishPlan plan;
    plan.is_under_way = draft->rollout.has_value();
    const auto fleet_before = draft->rollout ? draft->rollout->fleet : draft->fleet;
    const auto before = draft->rollout ? draft->rollout->records : draft->records;
    auto staged = stage(*draft, home->network, fleet, drop_unrefreshed);
    if (!staged) return staged.error();
    plan.published = *std::move(staged);
    auto changes = changes_between(fleet_before, before, draft->fleet, draft->records);
    if (!changes) return changes.error();
    plan.changes = *std::move(changes);
    return plan;
}

Result<Published> apply_waves(const Operator& op, const mesh::Fleet& fleet,
                              const WaveOptions& options) {
    auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    Waves waves(op, *std::move(home), client);
    auto draft = waves.open();
    if (!draft) return draft.error();
    if (draft->rotation) return refuse_if_busy(*draft).error();
    const auto fleet_before = draft->fleet;
    const auto before = draft->records;
    auto out = stage(*draft, waves.home().network, fleet, options.drop_unrefreshed);
    if (!out) return out;
    if (!draft->rollout)
        draft->rollout = Draft::Rollout{fleet_before, before, {}};
    else if (!is_same(fleet_before, before, draft->fleet, draft->records))
        return Error{Errc::conflict, "another change is on its way from wave to wave",
                     "apply that one again to go on with it, or --withdraw it"};
    if (options.waves.empty() || fleet_before.nodes_yaml.empty()) {
        draft->rollout.reset();
        const auto revision = draft->publish("apply", "at once", op.valid_for);
        if (!revision) return revision.error();
        out->revision = *revision;
        return out;
    }
    const auto revision = waves.run(*std::move(draft), options);
    if (!revision) return revision.error();
    out->revision = *revision;
    return out;
}

Result<void> withdraw_waves(const Operator& op) {
    auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    return Waves(op, *std::move(home), client).withdraw("by hand");
}

} // namespace wgkit::agent
