// The agent's life: the last good state, then every later one as it comes.
#include <fmt/format.h>
#include <net/if.h>
#include <poll.h>
#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "agent/apply.hpp"
#include "agent/compose.hpp"
#include "agent/follower.hpp"
#include "agent/identity.hpp"
#include "agent/reader.hpp"
#include "store/watch.hpp"
#include "trust/possession.hpp"
#include "util/ascii.hpp"
#include "wgkit/agent.hpp"
#include "wgkit/files.hpp"

namespace wgkit::agent {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds first_pause{200};
constexpr milliseconds longest_pause{30'000};
/// The store's streams end by themselves long before; also how long `stop` may go unseen at worst.
constexpr milliseconds longest_wait = std::chrono::hours(1);

trust::Seconds now() { return std::time(nullptr); }

class Agent {
  public:
    Agent(HttpPoster& requests, HttpPoster& watch, const AgentOptions& options, Identity identity,
          NodeKeys keys)
        : options_(options), identity_(std::move(identity)),
          keys_(std::move(keys)), layout_{identity_.network}, client_(requests, identity_.access),
          watch_(watch, client_),
          follower_(identity_.network, identity_.root_hash, identity_.minimum_revision) {
        requests.wake_on(options.stop);
        watch.wake_on(options.stop);
    }

    void run() {
        restore();
        if (options_.ready) options_.ready();
        milliseconds pause = first_pause;
        while (!is_stopped()) {
            const auto begun = std::chrono::steady_clock::now();
            if (connect()) follow();
            // A store that takes us in only to throw us out is not asked without pause.
            if (std::chrono::steady_clock::now() - begun > longest_pause) pause = first_pause;
            if (is_lost_) {
                client_.next_member();
                sleep(jittered(pause));
                pause = std::min(pause * 2, longest_pause);
            }
        }
    }

  private:
    std::string state_path() const { return options_.folder + "/state.json"; }

    std::string interface_path() const { return options_.folder + "/interface"; }

    void restore() {
        if (const auto name = files::read(interface_path()))
            interface_ = std::string(ascii::trim(*name));
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
        apply();
    }

    /// Reads everything and begins to watch where that ended.
    bool connect() {
        const auto revision = read_published(client_, layout_, follower_);
        if (!revision) {
            if (revision.error().code == Errc::permission) client_.forget_login();
            lost(revision.error().message);
            return false;
        }
        if (auto started = watch_.start(followed_prefixes(layout_), *revision + 1); !started) {
            lost(started.error().message);
            return false;
        }
        if (std::exchange(is_lost_, false)) say("the store is back");
        take_news();
        return !adopt_own_user();
    }

    /// Once an operator has approved this node, it has a user of its own, which can write nothing
    /// but the node's own hint. True if the store must be asked anew.
    bool adopt_own_user() {
        const bool is_approved =
            follower_.state() && follower_.state()->find(identity_.node) != nullptr;
        if (identity_.join_key.empty() || !is_approved) return false;
        Identity changed = identity_;
        changed.join_key.clear();
        if (!changed.access.user.empty()) {
            const auto found = client_.get(layout_.secret(identity_.node));
            const auto* sealed = found ? found->find(layout_.secret(identity_.node)) : nullptr;
            if (sealed == nullptr) return false;
            const auto bytes = trust::from_base64(sealed->value);
            auto password = trust::open_secret(bytes.value_or(std::string()), keys_.seal);
            if (!password) {
                complain(password.error());
                return false;
            }
            changed.access.user = layout_.node_user(identity_.node);
            changed.access.password = *std::move(password);
        }
        if (auto saved = save_identity(options_.folder, changed); !saved) {
            complain(saved.error());
            return false;
        }
        const bool is_other_user = changed.access.user != identity_.access.user;
        identity_ = std::move(changed);
        if (is_other_user) client_.use(identity_.access);
        report_status();
        return is_other_user;
    }

    void follow() {
        while (!is_stopped()) {
            auto news = watch_.wait(wait_time());
            for (auto& event : news.events) {
                if (event.removed)
                    follower_.remove(event.entry.key);
                else
                    follower_.put(event.entry.key, std::move(event.entry.value),
                                  event.entry.create_revision);
            }
            take_news();
            if (adopt_own_user()) return;
            if (news.compacted) return; // connect reads everything again
            if (!news.error.empty()) {
                lost(news.error);
                return;
            }
        }
    }

    void take_news() {
        const auto changed = follower_.update(now());
        if (!changed) {
            // Half of a state may have come; the rest follows.
            if (changed.error().code != Errc::not_found || follower_.position().hash.empty())
                complain(changed.error());
            check_age();
            return;
        }
        complaint_.clear();
        if (*changed) {
            // On disk first: nobody can show us an older state than one that was applied.
            if (auto saved = files::replace(state_path(), follower_.to_text(), 0600); !saved)
                trouble(saved.error());
            apply();
        }
        check_age();
    }

    void check_age() {
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
        const auto nodes = follower_.nodes();
        const auto mine = std::find_if(nodes.begin(), nodes.end(), [&](const auto& record) {
            return record.name == identity_.node;
        });
        const bool is_out = mine == nodes.end() || mine->key != public_key(keys_.wireguard)
                            || (follower_.is_stale(now()) && drops());
        if (is_out) {
            if (!interface_.empty())
                if (auto gone = remove_all_peers(interface_); !gone) return gone.error();
            return Error{Errc::conflict,
                         mine == nodes.end()
                             ? fmt::format("{} is not in revision {}: it was revoked, or not yet "
                                           "admitted",
                                           identity_.node, follower_.position().revision)
                             : "all peers are removed",
                         {}};
        }
        std::vector<std::string> left_out;
        const auto fleet =
            compose_with_admitted(follower_.state()->fleet, follower_.state()->records,
                                  follower_.admitted().records, mesh::today(), left_out);
        if (!fleet) return fleet.error();
        for (const auto& name : left_out)
            trouble({Errc::conflict, fmt::format("{} does not fit into the fleet", name), {}});
        auto own = own_config(*fleet, identity_.node, keys_.wireguard);
        if (!own) return own.error();
        if (auto ours = claim_interface(own->interface); !ours) return ours.error();
        return apply_config(interface_, std::move(own->config),
                            [this](const Error& error) { trouble(error); });
    }

    /// An interface that was there before us is somebody else's. Noted before it is made, so that
    /// an agent that was killed meanwhile knows its own.
    Result<void> claim_interface(const std::string& interface) {
        if (interface == interface_) return {};
        if (::if_nametoindex(interface.c_str()) != 0)
            return Error{Errc::exists, fmt::format("{} exists and is not the agent's", interface),
                         "end it (wgkit net down, wg-quick down), then restart the agent"};
        if (!interface_.empty())
            if (auto gone = remove_all_peers(interface_); !gone) return gone;
        if (auto noted = files::replace(interface_path(), interface + "\n", 0600); !noted)
            return noted;
        interface_ = interface;
        return {};
    }

    /// Signed, so that the store cannot speak for us. Not worth an error: the next one tells more.
    void report_status() {
        if (is_lost_) return;
        trust::Hint hint{identity_.network,
                         identity_.node,
                         follower_.position().hash,
                         follower_.position().revision,
                         now(),
                         status_};
        const std::array signer{&keys_.agent};
        store::Transaction change;
        const std::string path = identity_.join_key.empty()
                                     ? layout_.hint_of_node(identity_.node)
                                     : layout_.hint_of_joined(identity_.join_key) + identity_.node;
        change.puts = {{path, to_text(trust::seal_document(std::string(trust::type::hint),
                                                           to_json(hint), signer))}};
        (void)client_.commit(change);
    }

    milliseconds wait_time() const {
        const auto deadline = follower_.next_deadline(now());
        if (!deadline) return longest_wait;
        return std::min(longest_wait, milliseconds(seconds(*deadline - now())) + seconds(1));
    }

    /// Between half and all of it, so that a fleet does not come back all at once.
    static milliseconds jittered(milliseconds pause) {
        const auto half = static_cast<std::uint32_t>(pause.count() / 2);
        return milliseconds(half + randombytes_uniform(half + 1));
    }

    void sleep(milliseconds time) const {
        pollfd one{options_.stop, POLLIN, 0};
        ::poll(&one, 1, static_cast<int>(time.count()));
    }
    bool is_stopped() const {
        pollfd one{options_.stop, POLLIN, 0};
        return ::poll(&one, 1, 0) > 0;
    }

    void lost(const std::string& why) {
        if (std::exchange(is_lost_, true) || is_stopped()) return;
        options_.tell(true, fmt::format("the store is away: {}", why));
    }
    /// Once for each thing that is wrong.
    void complain(const Error& error) {
        if (std::exchange(complaint_, error.message) == error.message) return;
        trouble(error);
    }
    void trouble(const Error& error) const { options_.tell(true, error.message); }
    void say(const std::string& text) const { options_.tell(false, text); }

    const AgentOptions& options_;
    Identity identity_;
    NodeKeys keys_;
    store::Layout layout_;
    store::Client client_;
    store::Watch watch_;
    Follower follower_;
    std::string interface_;
    std::string status_;
    std::string complaint_;
    bool is_lost_ = false;
    bool is_stale_ = false;
};

} // namespace

Result<void> run_agent(HttpPoster& requests, HttpPoster& watch, const AgentOptions& options) {
    auto identity = load_identity(options.folder);
    if (!identity) return identity.error();
    auto keys = load_or_make_keys(options.folder);
    if (!keys) return keys.error();
    Agent(requests, watch, options, *std::move(identity), *std::move(keys)).run();
    return {};
}

} // namespace wgkit::agent
