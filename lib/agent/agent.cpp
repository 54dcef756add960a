// The agent's life: the last good state, then every later one as it comes.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "agent/derivation.hpp"
#include "agent/follower.hpp"
#include "agent/health.hpp"
#include "agent/identity.hpp"
#include "agent/machine.hpp"
#include "agent/rotation.hpp"
#include "agent/store_link.hpp"
#include "trust/possession.hpp"
#include "util/ascii.hpp"
#include "wgkit/agent.hpp"
#include "wgkit/files.hpp"

namespace wgkit::agent {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// The store's streams end by themselves long before; also how long `stop` may go unseen at worst.
constexpr milliseconds longest_wait = std::chrono::hours(1);
/// Until something that failed is tried again.
constexpr milliseconds retry_pause{2000};
/// Until peers that answered before a change must answer after it.
constexpr milliseconds health_patience{5000};

trust::Seconds now() { return std::time(nullptr); }

class Agent {
  public:
    Agent(HttpPoster& requests, HttpPoster& watch, Machine& machine, const AgentOptions& options,
          Identity identity, NodeKeys keys)
        : options_(options), machine_(machine), identity_(std::move(identity)),
          keys_(std::move(keys)), layout_{identity_.network},
          link_(requests, watch, layout_, identity_.access, options.stop, options.tell),
          follower_(identity_.network, identity_.root_hash, identity_.minimum_revision),
          rotation_({options.folder, identity_, keys_, machine,
                     [this](milliseconds time) {
                         listen(time);
                         return !has_news_ && !is_stopped();
                     },
                     [this](const std::string& text) { say(text); },
                     [this](const Error& error) { trouble(error); }}) {}

    void run() {
        restore();
        if (options_.ready) options_.ready();
        while (!is_stopped()) {
            listen(wait_time());
            const bool again = must_retry_ && steady_clock::now() >= retry_at_;
            if (std::exchange(has_news_, false) || again) act();
            is_told_ = link_.flush();
            check_age();
        }
    }

  private:
    std::string state_path() const { return options_.folder + "/state.json"; }
    std::string interface_path() const { return options_.folder + "/interface"; }

    void restore() {
        if (const auto name = files::read(interface_path()))
            interface_ = std::string(ascii::trim(*name));
        if (auto known = rotation_.restore(); !known) trouble(known.error());
        const auto text = files::read(state_path());
        if (!text) {
            if (text.error().code != Errc::not_found) trouble(text.error());
            return;
        }
        if (auto good = follower_.restore(*text); !good) {
            trouble(good.error());
            return;
        }
        say(fmt::format("revision {} from disk", follower_.position().revision));
        if (!rotation_.is_under_way()) apply();
        // A rotation goes on, or begins, in its own time: it may have to wait for others.
        has_news_ = rotation_.is_under_way() || rotation_.is_wanted(*follower_.state());
    }

    /// Waits for what comes from the store, and believes what it can.
    void listen(milliseconds timeout) {
        if (link_.listen(follower_, timeout) && !identity_.join_key.empty()) has_news_ = true;
        const auto changed = follower_.update(now());
        if (!changed) {
            // Half of a state may have come; the rest follows.
            if (changed.error().code != Errc::not_found || follower_.position().hash.empty())
                if (link_.is_connected()) complain(changed.error());
            return;
        }
        complaint_.clear();
        if (!*changed) return;
        has_news_ = true;
        drop_revoked();
        // On disk first: nobody can show us an older state than one that was applied.
        if (auto saved = files::replace(state_path(), follower_.to_text(), 0600); !saved)
            trouble(saved.error());
    }

    /// Before anything else, and in proportion to what is new: whose keys are revoked.
    void drop_revoked() {
        if (!follower_.state() || interface_.empty()) return;
        const auto& revoked = follower_.state()->snapshot.revoked;
        std::vector<PublicKey> keys;
        for (std::size_t i = revoked_seen_; i < revoked.size(); ++i)
            if (auto key = PublicKey::parse(revoked[i])) keys.push_back(*key);
        revoked_seen_ = revoked.size();
        if (auto gone = machine_.remove_peers(interface_, keys); !gone) trouble(gone.error());
    }

    /// Makes the machine what is believed.
    void act() {
        must_retry_ = false;
        if (!follower_.state()) return;
        const auto& state = *follower_.state();
        adopt_own_user();
        if (!rotation_.is_under_way() && !rotation_.is_wanted(state)) {
            apply();
            return;
        }
        auto rotated = rotate(state);
        if (rotated && *rotated) {
            apply();
            return;
        }
        if (has_news_ || is_stopped()) return; // not an end, but an interruption
        status_ = rotated ? "applied" : rotated.error().message;
        if (!rotated) {
            trouble(rotated.error());
            retry_soon();
        }
        report_status();
    }

    /// True if it is over.
    Result<bool> rotate(const trust::State& state) {
        if (!rotation_.is_under_way()) {
            if (auto applied = try_apply(); !applied) return applied.error();
            const auto present = own(state.view_of(identity_.node));
            if (!present) return present.error();
            if (auto begun = rotation_.begin(state, **present); !begun) return begun.error();
        }
        if (auto dropped = rotation_.drop_revoked(state); !dropped) return dropped.error();
        auto renewal = rotation_.renewal(state);
        if (!renewal) return renewal.error();
        if (!renewal->empty()) link_.put(layout_.renewal(identity_.node), *std::move(renewal));
        return rotation_.advance(state);
    }

    void retry_soon() {
        must_retry_ = true;
        retry_at_ = steady_clock::now() + retry_pause;
    }

    /// Once an operator has approved this node, it has a user of its own, which can write nothing
    /// but the node's own hint and keys.
    void adopt_own_user() {
        const bool is_approved = follower_.state()->find(identity_.node) != nullptr;
        if (identity_.join_key.empty() || !is_approved || !link_.is_connected()) return;
        Identity changed = identity_;
        changed.join_key.clear();
        if (!changed.access.user.empty()) {
            const auto found = link_.client().get(layout_.secret(identity_.node));
            const auto* sealed = found ? found->find(layout_.secret(identity_.node)) : nullptr;
            if (sealed == nullptr) return;
            const auto bytes = trust::from_base64(sealed->value);
            auto password = trust::open_secret(bytes.value_or(std::string()), keys_.seal);
            if (!password) {
                complain(password.error());
                return;
            }
            changed.access.user = layout_.node_user(identity_.node);
            changed.access.password = *std::move(password);
        }
        if (auto saved = save_identity(options_.folder, changed); !saved) {
            complain(saved.error());
            return;
        }
        const bool is_other_user = changed.access.user != identity_.access.user;
        identity_ = std::move(changed);
        if (is_other_user) link_.use(identity_.access);
    }

    void check_age() {
        if (!follower_.state()) return;
        const bool stale = follower_.is_stale(now());
        if (stale == is_stale_) return;
        is_stale_ = stale;
        if (stale)
            options_.tell(true, fmt::format("revision {} has expired; stale_policy is {}",
                                            follower_.position().revision,
                                            drops() ? "drop-unrefreshed" : "keep"));
        if (stale && drops()) apply();
    }

    bool drops() const {
        return follower_.state()->fleet.stale_policy == trust::StalePolicy::drop_unrefreshed;
    }

    void apply() {
        if (!follower_.state()) return;
        const auto started = std::chrono::steady_clock::now();
        auto applied = try_apply();
        status_ = applied ? "applied" : applied.error().message;
        if (!applied) {
            trouble(applied.error());
        } else {
            const auto took = std::chrono::duration_cast<milliseconds>(
                std::chrono::steady_clock::now() - started);
            say(fmt::format("revision {} applied{} in {} ms", follower_.position().revision,
                            *applied ? "" : ", nothing changed", took.count()));
        }
        report_status();
    }

    Result<bool> try_apply() {
        const auto& state = *follower_.state();
        const auto target =
            state.snapshot.fleet + fmt::format("{}", fmt::join(state.snapshot.index, ""));
        const bool is_news = state.rollout && state.view_of(identity_.node).is_new;
        if (!is_news) return apply_view(state.view_of(identity_.node));
        if (target == refused_)
            if (auto stayed = apply_view(state.before()); !stayed) return stayed;
        if (target == refused_) return Error{Errc::conflict, refusal_, {}};
        if (target == taken_) return apply_view(state.view_of(identity_.node));
        // One of a wave: others follow only if this goes well.
        Health health;
        if (const auto before = own(state.before())) health.look(machine_, (*before)->config);
        auto applied = apply_view(state.view_of(identity_.node));
        if (applied) {
            const auto wanted = own(state.view_of(identity_.node));
            const auto missing =
                health.missing(machine_, (*wanted)->config, health_patience, [this] {
                    listen(milliseconds(0));
                    return !has_news_ && !is_stopped();
                });
            if (missing.empty() && is_store_there()) {
                taken_ = target;
                return applied;
            }
            applied = Error{Errc::conflict,
                            missing.empty() ? std::string("the store is out of reach")
                                            : fmt::format("no answer from {} peers, {} first",
                                                          missing.size(), to_string(missing[0])),
                            {}};
        }
        refused_ = target;
        refusal_ = fmt::format("went back: {}", applied.error().message);
        if (auto back = apply_view(state.before()); !back) trouble(back.error());
        return Error{Errc::conflict, refusal_, {}};
    }

    /// After a change: a node that has cut itself off would never hear that it is withdrawn.
    bool is_store_there() {
        return !link_.is_connected() || link_.client().get(layout_.snapshot()).has_value();
    }

    Result<bool> apply_view(const trust::State::View& view) {
        const auto* mine = find_mine(view);
        const bool is_out = mine == nullptr || mine->key != public_key(keys_.wireguard)
                            || (follower_.is_stale(now()) && drops());
        if (is_out) {
            if (!interface_.empty())
                if (auto gone = machine_.remove_all_peers(interface_); !gone) return gone.error();
            return Error{Errc::conflict,
                         mine == nullptr
                             ? fmt::format("{} is not in revision {}: it was revoked, or not yet "
                                           "admitted",
                                           identity_.node, follower_.position().revision)
                             : "all peers are removed",
                         {}};
        }
        auto wanted = own(view);
        if (!wanted) return wanted.error();
        if (auto ours = claim_interface((*wanted)->interface); !ours) return ours.error();
        return machine_.apply(interface_, (*wanted)->config,
                              [this](const Error& error) { trouble(error); });
    }

    const trust::NodeRecord* find_mine(const trust::State::View& view) const {
        for (const auto* records : {&view.records, &follower_.admitted().records})
            for (const auto& record : *records)
                if (record.name == identity_.node) return &record;
        return nullptr;
    }

    Result<OwnConfig*> own(const trust::State::View& view) {
        std::vector<std::string> left_out;
        auto config = derivation_.derive(view.fleet, view.records, follower_.admitted().records,
                                         identity_.node, keys_.wireguard, mesh::today(), left_out);
        for (const auto& name : left_out)
            trouble({Errc::conflict, fmt::format("{} does not fit into the fleet", name), {}});
        return config;
    }

    /// An interface that was there before us is somebody else's. Noted before it is made, so that
    /// an agent that was killed meanwhile knows its own.
    Result<void> claim_interface(const std::string& interface) {
        if (interface == interface_) return {};
        if (machine_.has(interface))
            return Error{Errc::exists, fmt::format("{} exists and is not the agent's", interface),
                         "end it (wgkit net down, wg-quick down), then restart the agent"};
        if (!interface_.empty())
            if (auto gone = machine_.remove_all_peers(interface_); !gone) return gone;
        if (auto noted = files::replace(interface_path(), interface + "\n", 0600); !noted)
            return noted;
        interface_ = interface;
        return {};
    }

    /// Signed, so that the store cannot speak for us.
    void report_status() {
        trust::Hint hint{identity_.network,
                         identity_.node,
                         follower_.position().hash,
                         follower_.position().revision,
                         now(),
                         status_,
                         rotation_.done()};
        const std::array signer{&keys_.agent};
        const std::string path = identity_.join_key.empty()
                                     ? layout_.hint_of_node(identity_.node)
                                     : layout_.hint_of_joined(identity_.join_key) + identity_.node;
        link_.put(path, to_text(trust::seal_document(std::string(trust::type::hint), to_json(hint),
                                                     signer)));
    }

    milliseconds wait_time() const {
        if (has_news_) return milliseconds(0);
        auto wait = longest_wait;
        if (const auto deadline = follower_.next_deadline(now()))
            wait = std::min(wait, milliseconds(seconds(*deadline - now())) + seconds(1));
        const bool is_untold = !is_told_ && link_.is_connected();
        return must_retry_ || is_untold ? std::min(wait, retry_pause) : wait;
    }

    bool is_stopped() const {
        pollfd one{options_.stop, POLLIN, 0};
        return ::poll(&one, 1, 0) > 0;
    }

    /// Once for each thing that is wrong.
    void complain(const Error& error) {
        if (std::exchange(complaint_, error.message) == error.message) return;
        trouble(error);
    }
    void trouble(const Error& error) const { options_.tell(true, error.message); }
    void say(const std::string& text) const { options_.tell(false, text); }

    const AgentOptions& options_;
    Machine& machine_;
    Identity identity_;
    NodeKeys keys_;
    store::Layout layout_;
    StoreLink link_;
    Follower follower_;
    Derivation derivation_;
    NodeRotation rotation_;
    std::string interface_;
    std::string status_;
    std::string complaint_;
    std::string taken_;   ///< what a rollout leads to, once this node is well with it
    std::string refused_; ///< or was not
    std::string refusal_;
    std::size_t revoked_seen_ = 0; ///< of the state's revoked keys
    bool has_news_ = false;        ///< that were not acted on yet
    bool is_told_ = true;          ///< the store has what it is to be told
    bool must_retry_ = false;
    steady_clock::time_point retry_at_;
    bool is_stale_ = false;
};

} // namespace

Result<void> run_agent_on(Machine& machine, HttpPoster& requests, HttpPoster& watch,
                          const AgentOptions& options) {
    auto identity = load_identity(options.folder);
    if (!identity) return identity.error();
    auto keys = load_or_make_keys(options.folder);
    if (!keys) return keys.error();
    Agent(requests, watch, machine, options, *std::move(identity), *std::move(keys)).run();
    return {};
}

Result<void> run_agent(HttpPoster& requests, HttpPoster& watch, const AgentOptions& options) {
    return run_agent_on(*local_machine(), requests, watch, options);
}

} // namespace wgkit::agent
