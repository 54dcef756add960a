// A change of this node: checked against the plan, made with a way back, and judged by its peers.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "fleet/node.hpp"
#include "fleet/node_staging.hpp"
#include "util/ascii.hpp"
#include "util/child.hpp"
#include "util/own_program.hpp"
#include "wgkit/confirm.hpp"
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

constexpr auto program_patience = std::chrono::seconds(60);
/// Peers that have not answered by then before a change are not expected to do so after it.
constexpr Milliseconds first_look{1000};
/// Lies beside a file that was not there before, until its change is confirmed.
constexpr const char* new_mark_folder = "/run/wgkit/fleet/new";

std::string new_mark(const std::string& interface) {
    return fmt::format("{}/{}", new_mark_folder, interface);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

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

Result<void> run_net(std::vector<std::string> words) {
    words.insert(words.begin(), own_program("wgkit-net"));
    const auto verb = words[1];
    const auto ran = run_child(words, {}, program_patience);
    if (!ran) return ran.error();
    if (ran->status == 0) return {};
    // "wgkit-net: error: ..." and its hint.
    std::string_view said = ascii::trim(ran->errors);
    std::string hint;
    if (const auto at = said.find("\nhint: "); at != said.npos) {
        hint = said.substr(at + 7);
        said = said.substr(0, at);
    }
    if (const auto at = said.rfind("error: "); at != said.npos) said.remove_prefix(at + 7);
    return Error{Errc::system, fmt::format("wgkit net {}: {}", verb, said), hint};
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
Result<void> bring_up_new(const WantedFile& wanted, const StagedFile& staged, bool has_file,
                          bool waits) {
    const auto& name = wanted.interface;
    if (waits && !has_file) {
        if (auto made = files::make_folders(new_mark_folder, 0700); !made) return made;
        if (auto marked = files::replace(new_mark(name), "", 0600); !marked) return marked;
    }
    if (auto made = files::make_folders("/etc/wireguard", 0700); !made) return made;
    if (auto put = files::replace(file_path(name), staged.text(), 0600); !put) return put;
    return run_net({"up", name});
}

Result<void> apply_one(const WantedFile& wanted, const NodeRequest& request) {
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
    if (!present->is_up)
        return bring_up_new(wanted, *staged, present->has_file, request.confirm.count() != 0);
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

Result<void> undo_one(const std::string& interface) {
    if (exists(new_mark(interface))) {
        // Gone is gone: a run that was killed here may have taken it down already.
        (void)run_net({"down", interface});
        ::unlink(file_path(interface).c_str());
        ::unlink(new_mark(interface).c_str());
        return {};
    }
    if (!time_left(interface)) return {};
    return run_net({"confirm", interface, "--undo"});
}

} // namespace

std::optional<std::chrono::seconds> time_left(const std::string& interface) {
    const auto all = confirm::list();
    if (!all) return std::nullopt;
    for (const auto& one : *all)
        if (const auto name = "net-" + interface;
            one.name == name || one.name.starts_with(name + "@"))
            return std::max(std::chrono::seconds(0),
                            std::chrono::ceil<std::chrono::seconds>(one.deadline - confirm::now()));
    return std::nullopt;
}

void do_apply(const NodeRequest& request, NodeAnswer& answer) {
    std::vector<NodePeer> before;
    for (const auto& wanted : request.files)
        if (auto one = read_interface(wanted.interface); one && one->is_up)
            before.insert(before.end(), one->peers.begin(), one->peers.end());
    auto asked = reachable_peers(before);
    const auto answered = ask(asked, first_look);
    for (const auto& wanted : request.files)
        if (auto done = apply_one(wanted, request); !done) {
            answer.error = done.error();
            return do_undo(request, answer);
        }
    // Whoever answered before and is still wanted has to answer now.
    std::vector<Probed> expected;
    for (const auto& wanted : request.files) {
        auto one = read_interface(wanted.interface);
        if (!one) {
            answer.error = one.error();
            return;
        }
        for (const auto& was : answered)
            for (const auto& peer : one->peers)
                if (peer.key == was.key) expected.push_back(was);
        answer.interfaces.push_back(*std::move(one));
    }
    for (const auto& one : ask(expected, request.patience)) answer.answered.push_back(one.key);
    for (const auto& one : expected) answer.silent.push_back(one.key);
}

void do_confirm(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files) {
        const auto& name = wanted.interface;
        if (exists(new_mark(name))) {
            ::unlink(new_mark(name).c_str());
            continue;
        }
        if (!time_left(name)) continue; // nothing had to be changed, or it is confirmed already
        if (auto done = run_net({"confirm", name}); !done) {
            answer.error = done.error();
            return;
        }
    }
}

void do_undo(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files)
        if (auto done = undo_one(wanted.interface); !done && !answer.error)
            answer.error = done.error();
}

} // namespace wgkit::tool::fleet
