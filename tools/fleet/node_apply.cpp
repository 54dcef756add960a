// A change of this node: checked against the plan, made with a way back, and judged by its peers.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <map>
#include <set>

#include "fleet/node.hpp"
#include "fleet/node_staging.hpp"
#include "wgkit/echo.hpp"
#include "wgkit/files.hpp"
#include "wgkit/revoked.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeAnswer;
using wgkit::fleet::NodePeer;
using wgkit::fleet::NodeRequest;
using wgkit::fleet::WantedFile;

namespace {

using Milliseconds = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// Peers that have not answered by then before a change are not expected to do so after it.
constexpr Milliseconds first_look{1000};
/// A passive keepalive comes after ten seconds.
constexpr Milliseconds keepalive_patience{15000};

struct Probed {
    PublicKey key;
    IpAddress address;
};

/// Peers with an address of their own.
std::vector<Probed> reachable_peers(const std::vector<NodePeer>& peers) {
    std::vector<Probed> out;
    for (const auto& peer : peers)
        for (const auto& prefix : peer.allowed_ips)
            if (prefix.length == prefix.address.bits()) {
                out.push_back({peer.key, prefix.address});
                break;
            }
    return out;
}

/// Those that answer; takes the others away. Waits until all do, or `patience` is over.
std::vector<Probed> ask(std::vector<Probed>& silent, Milliseconds patience) {
    std::vector<Probed> answered;
    const auto end = Clock::now() + patience;
    while (!silent.empty()) {
        std::vector<IpAddress> addresses;
        for (const auto& one : silent) addresses.push_back(one.address);
        const auto left = std::chrono::ceil<Milliseconds>(end - Clock::now());
        if (left.count() <= 0) break;
        const auto trips = echo(addresses, std::min(left, first_look));
        std::vector<Probed> rest;
        for (std::size_t i = 0; i < silent.size(); ++i)
            (trips && (*trips)[i] ? answered : rest).push_back(silent[i]);
        silent = std::move(rest);
        if (!trips) break;
    }
    return answered;
}

/// Refuses what must never come back.
Result<void> check_revoked(const StagedFile& staged, const NodeRequest& request) {
    auto revoked = read_revoked_keys();
    if (!revoked) return revoked.error();
    revoked->insert(revoked->end(), request.revoked.begin(), request.revoked.end());
    for (const auto& peer : staged.config().peers)
        if (std::find(revoked->begin(), revoked->end(), peer.public_key) != revoked->end())
            return Error{Errc::conflict,
                         fmt::format("the key {} is revoked", to_string(peer.public_key)),
                         fmt::format("{} lists it; take it out there if that was a mistake",
                                     revoked_keys_path)};
    return {};
}

/// Brings up what was not there.
Result<void> bring_up_new(const WantedFile& wanted, const StagedFile& staged, bool waits,
                          NodeAnswer& answer) {
    const auto& name = wanted.interface;
    if (waits)
        if (auto marked = mark_new(name); !marked) return marked;
    if (auto put = put_settings(wanted); !put) return put;
    if (auto made = files::make_folders("/etc/wireguard", 0700); !made) return made;
    if (auto put = files::replace(file_path(name), staged.text(), 0600); !put) return put;
    if (auto up = run_net({"up", name}); !up || waits) return up;
    return keep_new(name, answer);
}

Result<void> apply_one(const WantedFile& wanted, const NodeRequest& request, NodeAnswer& answer) {
    const auto present = read_interface(wanted.interface);
    if (!present) return present.error();
    if (!wanted.state_hash.empty() && present->state_hash != wanted.state_hash)
        return Error{
            Errc::conflict,
            fmt::format("{} is no longer as it was when the plan was made", wanted.interface),
            "somebody else has changed it; make a new plan"};
    const auto staged = StagedFile::make(wanted);
    if (!staged) return staged.error();
    if (auto good = check_revoked(*staged, request); !good) return good;
    if (!present->is_up) return bring_up_new(wanted, *staged, request.confirm.count() != 0, answer);
    if (auto host = change_host(wanted, *staged, request.confirm); !host) return host;
    std::vector<std::string> words{"apply", staged->path(), "--save"};
    if (request.confirm.count() != 0) {
        words.emplace_back("--confirm");
        words.push_back(std::to_string(request.confirm.count()));
    }
    if (request.removals) {
        words.emplace_back("--allow-removals");
        words.push_back(std::to_string(*request.removals));
    }
    return run_net(words);
}

/// Whether a peer was heard lately (Reject-After-Time, section 6.1 of the paper).
bool has_session(const PublicKey& key, const std::vector<NodePeer>& peers) {
    constexpr std::int64_t session_seconds = 180;
    return std::any_of(peers.begin(), peers.end(), [&](const NodePeer& peer) {
        return peer.key == key && std::time(nullptr) - peer.handshake < session_seconds;
    });
}

/// Interfaces whose peers could be cut off.
std::set<std::string> concerned(const NodeRequest& request) {
    std::set<std::string> names;
    for (const auto& wanted : request.files) names.insert(wanted.interface);
    if (request.firewall)
        names.insert(request.firewall->interfaces.begin(), request.firewall->interfaces.end());
    return names;
}

std::vector<NodePeer> peers_of(const std::set<std::string>& interfaces) {
    std::vector<NodePeer> peers;
    for (const auto& name : interfaces)
        if (auto one = read_interface(name); one && one->is_up)
            peers.insert(peers.end(), one->peers.begin(), one->peers.end());
    return peers;
}

Result<void> make_changes(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files)
        if (auto done = apply_one(wanted, request, answer); !done) return done;
    return request.firewall ? apply_firewall(request) : Result<void>();
}

/// What is heard of peers that do not answer echo requests: a packet since `before`. One that
/// gets packets and has nothing to say sends a keepalive after ten seconds (section 6.5 of the
/// WireGuard paper).
class Heard {
  public:
    explicit Heard(const std::vector<NodePeer>& before) {
        for (const auto& peer : before) before_[peer.key] = {peer.handshake, peer.received};
    }

    /// Takes those away that were heard; asks the others for a sign, until `patience` is over.
    std::vector<Probed> wait(std::vector<Probed>& silent, const std::set<std::string>& interfaces,
                             Milliseconds patience) const {
        std::vector<Probed> heard;
        const auto end = Clock::now() + patience;
        while (!silent.empty() && Clock::now() < end) {
            std::vector<IpAddress> addresses;
            for (const auto& one : silent) addresses.push_back(one.address);
            (void)echo(addresses, first_look);
            const auto now = peers_of(interfaces);
            std::vector<Probed> rest;
            for (const auto& one : silent) (is_heard(one.key, now) ? heard : rest).push_back(one);
            silent = std::move(rest);
        }
        return heard;
    }

  private:
    bool is_heard(const PublicKey& key, const std::vector<NodePeer>& now) const {
        const auto was = before_.find(key);
        return std::any_of(now.begin(), now.end(), [&](const NodePeer& peer) {
            return peer.key == key && was != before_.end()
                   && std::pair(peer.handshake, peer.received) != was->second;
        });
    }

    std::map<PublicKey, std::pair<std::int64_t, std::uint64_t>> before_;
};

} // namespace

void do_apply(const NodeRequest& request, NodeAnswer& answer) {
    const auto interfaces = concerned(request);
    const auto before = peers_of(interfaces);
    auto asked = reachable_peers(before);
    std::vector<Probed> answered;
    if (request.echo)
        answered = ask(asked, first_look);
    else
        std::copy_if(asked.begin(), asked.end(), std::back_inserter(answered),
                     [&](const Probed& one) { return has_session(one.key, before); });
    if (auto made = make_changes(request, answer); !made) {
        answer.error = made.error();
        return do_undo(request, answer);
    }
    // Whoever answered before and is still wanted has to answer now.
    const auto after = peers_of(interfaces);
    std::vector<Probed> expected;
    for (const auto& was : answered)
        if (std::any_of(after.begin(), after.end(),
                        [&](const NodePeer& peer) { return peer.key == was.key; }))
            expected.push_back(was);
    const auto heard =
        request.echo
            ? ask(expected, request.patience)
            : Heard(after).wait(expected, interfaces,
                                std::max<Milliseconds>(request.patience, keepalive_patience));
    for (const auto& one : heard) answer.answered.push_back(one.key);
    for (const auto& one : expected) answer.silent.push_back(one.key);
}

} // namespace wgkit::tool::fleet
