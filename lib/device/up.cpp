// An interface brought up, step by step, each with what undoes it.
#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <functional>
#include <utility>

#include "device/dns.hpp"
#include "device/endpoints.hpp"
#include "device/hooks.hpp"
#include "device/host_state.hpp"
#include "device/owner.hpp"
#include "device/record.hpp"
#include "device/tunnel_link.hpp"
#include "wgkit/host.hpp"
#include "wgkit/interface.hpp"
#include "wgkit/key_files.hpp"

namespace wgkit {

namespace {

using Phase = InterfaceRecord::Phase;

/// Whether a step outlasts the interface. What does not goes with it, in one go.
bool outlasts(const HostStep& step) {
    return std::holds_alternative<HostRule>(step.what)
           || std::holds_alternative<HostFilterChange>(step.what)
           || std::holds_alternative<HostSrcValidMark>(step.what);
}

class Up {
  public:
    Up(const InterfaceFile& file, config::Config& config, const InterfaceOptions& options,
       netlink::Socket& socket, InterfaceRecord& record)
        : file_(file), name_(file.interface), config_(config), options_(options), socket_(socket),
          record_(record) {}

    Result<void> run() {
        auto done = steps();
        if (!done) undo();
        return done;
    }

  private:
    Result<void> steps() {
        const auto key_path = take_key_path(config_.interface.post_up, name_);
        if (auto loaded = load_key(key_path); !loaded) return loaded;
        if (auto noted = record_.write(Phase::starting, 0); !noted) return noted;
        // An engine that failed to start may still have made its device.
        undo_.emplace_back([this] { return delete_tunnel_link(socket_, name_); });
        auto made = make_tunnel_link(socket_, name_, [this](const auto& text) { tell(text); });
        if (!made) {
            if (made.error().code == Errc::exists) undo_.clear(); // somebody else's, just now
            return made;
        }
        if (auto ran = run_hooks(config_.interface.pre_up, file_, options_); !ran) return ran;
        if (auto set = set_device(); !set) return set;
        if (auto set = set_host(); !set) return set;
        if (auto set = set_name_servers(); !set) return set;
        if (auto ran = run_hooks(config_.interface.post_up, file_, options_); !ran) return ran;
        if (auto good = check_interruption(); !good) return good;
        return record_.write(Phase::up, record_.mark());
    }

    /// `keys: node`: the key is on this machine, and only here.
    Result<void> load_key(const std::optional<std::string>& path) {
        if (!path || config_.interface.private_key) return {};
        auto key = read_private_key(*path);
        if (!key) return key.error();
        config_.interface.private_key = *std::move(key);
        return {};
    }

    Result<void> set_device() {
        tell(fmt::format("wg setconf {} {}", name_, file_.path));
        auto backend = open_device(name_);
        if (!backend) return backend.error();
        auto present = (*backend)->get();
        if (!present) return present.error();
        WantedDevice wanted = wanted_device(config_);
        const DiffOptions all{.set_all_endpoints = true};
        for (WantedPeer* peer : peers_to_look_up(wanted, *present, all)) {
            auto address = look_up_patiently(*peer->endpoint, options_);
            if (!address) return address.error();
            peer->address = *address;
        }
        if (auto good = check_interruption(); !good) return good;
        return set_all(**backend, diff(wanted, *present, all));
    }

    Result<void> set_host() {
        auto backend = open_device(name_);
        if (!backend) return backend.error();
        const auto device = (*backend)->get();
        if (!device) return device.error();
        auto facts = read_host_facts(*device, config_.interface);
        if (!facts) return facts.error();
        std::vector<Prefix> allowed_ips;
        for (const auto& peer : device->peers)
            allowed_ips.insert(allowed_ips.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
        const auto wanted = wanted_host(config_.interface, allowed_ips, *facts);
        if (wanted.fwmark != 0) {
            // Before there are rules with it, so that it is known whom they belong to.
            if (auto noted = record_.write(Phase::starting, wanted.fwmark); !noted) return noted;
            if (wanted.fwmark != device->fwmark) {
                tell(fmt::format("wg set {} fwmark {}", name_, wanted.fwmark));
                DeviceChange change;
                change.fwmark = wanted.fwmark;
                if (auto marked = set_all(**backend, change); !marked) return marked;
            }
        }
        const auto present = read_host_state(name_, wanted.fwmark);
        if (!present) return present.error();
        for (const auto& step : diff(wanted.state, *present, {}))
            if (auto done = do_step(step); !done) return done;
        return {};
    }

    Result<void> do_step(const HostStep& step) {
        tell(to_string(step, name_));
        if (auto good = check_interruption(); !good) return good;
        if (auto done = apply_step(step, name_); !done) return done;
        if (outlasts(step))
            undo_.emplace_back([this, back = inverse(step)] { return apply_step(back, name_); });
        return {};
    }

    Result<void> set_name_servers() {
        const DnsEntries entries = dns_entries(config_.interface.dns);
        if (entries.servers.empty()) {
            if (!entries.domains.empty() && options_.warn)
                options_.warn({Errc::invalid,
                               "DNS has search domains but no server: nothing is set",
                               "add a name server's address"});
            return {};
        }
        tell(dns_text(entries, name_));
        undo_.emplace_back([this] { return unset_dns(name_); });
        return set_dns(entries, name_);
    }

    /// What fails here cannot be helped: the rest is undone all the same.
    void undo() {
        for (auto back = undo_.rbegin(); back != undo_.rend(); ++back)
            if (auto undone = (*back)(); !undone && options_.warn)
                options_.warn({undone.error().code,
                               fmt::format("cannot undo a step: {}", undone.error().message),
                               undone.error().hint});
        (void)record_.remove();
    }

    void tell(const std::string& text) const {
        if (options_.tell) options_.tell(text);
    }
    Result<void> check_interruption() const {
        if (options_.is_interrupted && options_.is_interrupted())
            return Error{Errc::system, "interrupted", {}};
        return {};
    }

    const InterfaceFile& file_;
    const std::string& name_;
    config::Config& config_;
    const InterfaceOptions& options_;
    netlink::Socket& socket_;
    InterfaceRecord& record_;
    std::vector<std::function<Result<void>()>> undo_;
};

/// What a run that was killed, or an interface that vanished, has left behind.
Result<void> remove_leftovers(netlink::Socket& socket, const std::string& interface,
                              const InterfaceRecord& record) {
    const auto lasting = read_lasting_state(interface, record.mark());
    if (!lasting) return lasting.error();
    for (const auto& step : diff({}, *lasting, {}))
        if (auto done = apply_step(step, interface); !done) return done;
    return delete_tunnel_link(socket, interface);
}

} // namespace

Result<void> bring_up(const InterfaceFile& file, config::Config& config,
                      const InterfaceOptions& options) {
    auto record = InterfaceRecord::open(file.interface);
    if (!record) return record.error();
    auto socket = netlink::Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    const auto link = netlink::find_link(*socket, file.interface);
    if (!link) return link.error();
    const bool halfway = record->phase() == Phase::starting || record->phase() == Phase::stopping;
    if (*link && !halfway)
        return Error{Errc::exists, fmt::format("{} already exists", file.interface),
                     "wgkit net apply changes a running interface, wgkit net down ends it"};
    if (!options.take_over)
        if (auto free = check_owner(file.interface, *link ? (*link)->index : 0); !free) return free;
    if (auto gone = remove_leftovers(*socket, file.interface, *record); !gone) return gone;
    return Up(file, config, options, *socket, *record).run();
}

} // namespace wgkit
