// An interface taken down. The interface itself goes near the end, so that a run that is killed
// leaves what the next one needs to go on.
#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include "device/dns.hpp"
#include "device/hooks.hpp"
#include "device/host_state.hpp"
#include "device/owner.hpp"
#include "device/record.hpp"
#include "device/tunnel_link.hpp"
#include "wgkit/device.hpp"
#include "wgkit/host.hpp"
#include "wgkit/interface.hpp"

namespace wgkit {

namespace {

using Phase = InterfaceRecord::Phase;

/// With `Table` set, rules are the work of the owner's hooks.
bool has_own_rules(const config::Interface& interface) {
    return !interface.table || *interface.table == "auto";
}

void tell_step(const InterfaceOptions& options, const std::string& text) {
    if (options.tell) options.tell(text);
}

Result<void> take_apart(const InterfaceFile& file, const config::Config& config,
                        const InterfaceOptions& options, netlink::Socket& socket,
                        std::uint32_t mark) {
    const std::string& name = file.interface;
    const DnsEntries entries = dns_entries(config.interface.dns);
    if (!entries.servers.empty()) {
        tell_step(options, fmt::format("remove the name servers of {}", name));
        if (auto unset = unset_dns(name); !unset && options.warn) options.warn(unset.error());
    }
    const auto lasting = read_lasting_state(name, has_own_rules(config.interface) ? mark : 0);
    if (!lasting) return lasting.error();
    for (const auto& step : diff({}, *lasting, {})) {
        tell_step(options, to_string(step, name));
        if (auto done = apply_step(step, name); !done) return done;
    }
    tell_step(options, fmt::format("ip link delete dev {}", name));
    return delete_tunnel_link(socket, name);
}

} // namespace

Result<void> bring_down(const InterfaceFile& file, config::Config& config,
                        const InterfaceOptions& options) {
    const std::string& name = file.interface;
    auto record = InterfaceRecord::open(name);
    if (!record) return record.error();
    auto socket = netlink::Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    const auto link = netlink::find_link(*socket, name);
    if (!link) return link.error();
    if (!*link && record->phase() == Phase::none)
        return Error{Errc::not_found, fmt::format("{} is not up", name), {}};
    if (!options.take_over)
        if (auto free = check_owner(name, *link ? (*link)->index : 0); !free) return free;

    std::uint32_t mark = record->mark();
    if (*link) {
        const bool halfway =
            record->phase() == Phase::starting || record->phase() == Phase::stopping;
        const auto device = read_device(name);
        // What an engine left that was killed is ours to remove, too.
        if (!device && record->phase() == Phase::none) return device.error();
        if (device && device->fwmark != 0) mark = device->fwmark;
        if (!halfway) {
            if (auto ran = run_hooks(config.interface.pre_down, file, options); !ran) return ran;
            if (device && config.interface.save_config.value_or(false))
                if (auto saved = save_interface(file, config); !saved) return saved;
        }
    }
    if (auto noted = record->write(Phase::stopping, mark); !noted) return noted;
    if (auto gone = take_apart(file, config, options, *socket, mark); !gone) return gone;
    if (auto ran = run_hooks(config.interface.post_down, file, options); !ran) {
        (void)record->remove(); // it is down
        return ran;
    }
    return record->remove();
}

Result<void> remove_peers(const std::string& interface, std::vector<PublicKey> keys) {
    auto backend = open_device(interface);
    if (!backend) return backend.error();
    DeviceChange change;
    change.removed_peers = std::move(keys);
    return set_all(**backend, change);
}

} // namespace wgkit
