// New keys for nodes: asked for, put in place by all ends together, and made part of the fleet.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "agent/compose.hpp"
#include "crypto/random_id.hpp"
#include "operator/draft.hpp"
#include "operator/hints.hpp"
#include "operator/stage.hpp"
#include "wgkit/files.hpp"
#include "wgkit/fleet_store.hpp"
#include "wgkit/key_files.hpp"

namespace wgkit::agent {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look_pause{250};

std::string some_of(const std::vector<std::string>& names) {
    constexpr std::size_t most = 5;
    if (names.size() <= most) return fmt::format("{}", fmt::join(names, ", "));
    return fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + most, ", "),
                       names.size() - most);
}

/// Whose keys are to change: what was named, or all with an agent.
Result<std::vector<std::string>> chosen(const Draft& draft, const RotateOptions& options) {
    std::vector<std::string> names;
    for (const auto& [name, record] : draft.records)
        if (options.nodes.empty() && record.agent) names.push_back(name);
    for (const auto& name : options.nodes) {
        const auto found = draft.records.find(name);
        if (found == draft.records.end())
            return Error{Errc::not_found, fmt::format("the fleet has no node '{}'", name),
                         "nodes that wait for approval come later"};
        if (!found->second.agent)
            return Error{Errc::conflict, fmt::format("{} runs no agent", name),
                         "`wgkit mesh rekey` and `wgkit store publish` change its key"};
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    if (names.empty()) return Error{Errc::not_found, "no node runs an agent", {}};
    return names;
}

/// Those who get new keys, and their peers.
Result<trust::Rotation> make_rotation(const Draft& draft, std::vector<std::string> rotating,
                                      bool leave_behind) {
    const auto fleet = compose_fleet(draft.fleet, values_of(draft.records), mesh::today());
    if (!fleet) return fleet.error();
    const auto& plan = fleet->plans.front();
    std::set<std::string> taking_part, alone;
    for (const auto& name : rotating) {
        const auto index = plan.find(name);
        if (!index || !plan.member(*index).active)
            return Error{Errc::conflict, fmt::format("{} is disabled or has expired", name), {}};
        bool has_end = false;
        for (const auto& peer : plan.peers(*index)) {
            const std::string other = plan.member(peer.node).node->name.value;
            if (draft.records.at(other).agent) {
                taking_part.insert(other);
                has_end = true;
            } else {
                alone.insert(other);
            }
        }
        if (!has_end)
            return Error{Errc::conflict, fmt::format("no peer of {} runs an agent", name), {}};
        taking_part.insert(name);
    }
    if (!alone.empty() && !leave_behind)
        return Error{Errc::conflict,
                     fmt::format("{} would lose the tunnel: no agent runs there",
                                 some_of({alone.begin(), alone.end()})),
                     "with --leave-behind they do, until they have the new keys by other means"};
    trust::Rotation rotation;
    rotation.id = crypto::random_id();
    rotation.rotating = std::move(rotating);
    rotation.taking_part.assign(taking_part.begin(), taking_part.end());
    rotation.leave_behind = !alone.empty();
    return rotation;
}

class Rotating {
  public:
    Rotating(const Operator& op, const RotateOptions& options, Home home, store::Client& client)
        : op_(op), options_(options), home_(std::move(home)),
          client_(client), layout_{home_.network} {}

    /// One wave, from asking to the end.
    Result<Rotated> run(const std::vector<std::string>& names) {
        auto draft = open();
        if (!draft) return draft.error();
        if (!draft->rotation)
            if (auto begun = ask(*draft, names); !begun) return begun.error();
        draft = open();
        if (!draft) return draft.error();
        Rotated out;
        out.nodes = draft->rotation->rotating;
        if (draft->renewals.empty()) {
            if (auto collected = collect(*draft); !collected) return withdraw(collected.error());
            if (auto put = draft->publish("rotate-put-in-place", some_of(out.nodes), op_.valid_for);
                !put)
                return put.error();
        }
        if (auto done = await_done(); !done) return done.error();
        return finish(std::move(out));
    }

    Result<Draft> open() { return Draft::open(home_, client_, std::time(nullptr)); }

  private:
    std::string enrolment_path(const std::string& id) const {
        return home_.enrolment_path("rotation-" + id);
    }
    void tell(const std::string& text) const {
        if (options_.tell) options_.tell(text);
    }

    Result<void> ask(Draft& draft, const std::vector<std::string>& names) {
        auto rotation = make_rotation(draft, names, options_.leave_behind);
        if (!rotation) return rotation.error();
        const auto key = generate_private_key();
        rotation->enrolment = public_key(key);
        if (auto saved =
                files::create(enrolment_path(rotation->id), reveal_base64(key) + "\n", 0600);
            !saved)
            return saved.error();
        draft.rotation = *std::move(rotation);
        auto asked = draft.publish("rotate", some_of(names), op_.valid_for);
        if (!asked) return asked.error();
        return {};
    }

    /// Waits until all who take part have made their keys, and each is good.
    Result<void> collect(Draft& draft) {
        const auto key = read_private_key(enrolment_path(draft.rotation->id));
        if (!key) return key.error();
        const auto end = Clock::now() + options_.patience;
        for (bool told = false;; told = true) {
            auto stored = client_.get_prefixes({layout_.renewals()});
            if (!stored) return stored.error();
            std::vector<trust::Renewal> good;
            std::vector<std::string> missing;
            draft.renewals.clear();
            for (const auto& name : draft.rotation->taking_part) {
                const auto* found = stored->find(layout_.renewal(name));
                auto renewal = found != nullptr
                                   ? trust::check_renewal(home_.network, *draft.rotation,
                                                          draft.records.at(name), found->value)
                                   : Result<trust::Renewal>(Error{Errc::not_found, {}, {}});
                if (renewal && trust::shows_possession(*renewal, *draft.rotation, *key)) {
                    draft.renewals[name] = found->value;
                    good.push_back(*std::move(renewal));
                } else {
                    missing.push_back(name);
                }
            }
            if (missing.empty())
                return trust::check_renewals(*draft.rotation, values_of(draft.records),
                                             draft.revoked, good);
            if (Clock::now() >= end)
                return Error{Errc::conflict, fmt::format("{} made no new keys", some_of(missing)),
                             "nothing was changed; does an agent run there, and is it up to date"};
            if (!told) tell(fmt::format("waiting for the new keys of {}", some_of(missing)));
            std::this_thread::sleep_for(look_pause);
        }
    }

    Error withdraw(const Error& why) {
        auto draft = open();
        if (!draft) return draft.error();
        if (!draft->rotation || !draft->renewals.empty()) return why;
        const std::string id = draft->rotation->id;
        draft->rotation.reset();
        if (auto done = draft->publish("rotate-withdraw", why.message, op_.valid_for); !done)
            return done.error();
        forget(id);
        return why;
    }

    /// Waits until all say that they have put them in place.
    Result<void> await_done() {
        const auto end = Clock::now() + options_.timeout;
        for (bool told = false;; told = true) {
            // A node that is revoked meanwhile is not waited for.
            auto draft = open();
            if (!draft) return draft.error();
            if (!draft->rotation) return {};
            const auto& state = *draft->follower().state();
            const auto hints = read_hints(client_, layout_, state, state.records);
            if (!hints) return hints.error();
            std::vector<std::string> missing;
            for (const auto& name : draft->rotation->taking_part) {
                const auto hint = hints->find(name);
                if (hint == hints->end() || hint->second.rotated != draft->rotation->id)
                    missing.push_back(name);
            }
            if (missing.empty()) return {};
            if (Clock::now() >= end)
                return Error{Errc::conflict,
                             fmt::format("{} has not put the new keys in place", some_of(missing)),
                             "traffic goes on meanwhile; `wgkit store rotate` goes on with it, "
                             "`wgkit store revoke` takes a node out that does not come back"};
            if (!told) tell(fmt::format("waiting for {} nodes to change keys", missing.size()));
            std::this_thread::sleep_for(look_pause);
        }
    }

    Result<Rotated> finish(Rotated out) {
        auto draft = open();
        if (!draft) return draft.error();
        if (!draft->rotation) return out; // another run has done it
        const std::string id = draft->rotation->id;
        out.nodes = draft->rotation->rotating;
        for (const auto& renewal : draft->follower().state()->renewals) {
            auto& record = draft->records.at(renewal.node);
            if (record.key == renewal.next) continue;
            record.key = renewal.next;
            ++record.generation;
        }
        draft->rotation.reset();
        draft->renewals.clear();
        const auto revision = draft->publish("rotated", some_of(out.nodes), op_.valid_for);
        if (!revision) return revision.error();
        out.revision = *revision;
        forget(id);
        return out;
    }

    void forget(const std::string& id) const { ::remove(enrolment_path(id).c_str()); }

    const Operator& op_;
    const RotateOptions& options_;
    Home home_;
    store::Client& client_;
    store::Layout layout_;
};

} // namespace

Result<Rotated> rotate_keys(const Operator& op, const RotateOptions& options) {
    auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    Rotating rotating(op, options, *std::move(home), client);
    const auto draft = rotating.open();
    if (!draft) return draft.error();
    if (draft->is_first()) return Error{Errc::conflict, "nothing was published yet", {}};
    if (draft->rollout) return refuse_if_busy(*draft).error();
    Rotated all;
    if (draft->rotation) {
        if (options.tell)
            options.tell(
                fmt::format("going on with the keys of {}", some_of(draft->rotation->rotating)));
        auto done = rotating.run({});
        if (!done) return done;
        all = *std::move(done);
        if (options.nodes.empty()) return all;
    }
    const auto names = chosen(*draft, options);
    if (!names) return names.error();
    std::vector<std::string> left;
    for (const auto& name : *names)
        if (std::find(all.nodes.begin(), all.nodes.end(), name) == all.nodes.end())
            left.push_back(name);
    for (std::size_t at = 0; at < left.size();) {
        const auto count = std::min(std::max<std::size_t>(options.at_once, 1), left.size() - at);
        const auto begin = left.begin() + static_cast<std::ptrdiff_t>(at);
        auto done = rotating.run({begin, begin + static_cast<std::ptrdiff_t>(count)});
        if (!done) return done;
        all.nodes.insert(all.nodes.end(), done->nodes.begin(), done->nodes.end());
        all.revision = done->revision;
        at += count;
        if (options.tell)
            options.tell(fmt::format("{} of {} nodes have new keys", at, left.size()));
    }
    return all;
}

} // namespace wgkit::agent
