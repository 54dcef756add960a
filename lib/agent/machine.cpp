#include "agent/apply.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <ctime>
#include <vector>

#include "wgkit/device.hpp"
#include "wgkit/host.hpp"
#include "wgkit/interface.hpp"

namespace wgkit::agent {

namespace {

Result<bool> change_host(DeviceBackend& backend, const std::string& interface,
                         const config::Interface& wanted, const std::vector<Prefix>& owned) {
    const auto device = backend.get();
    if (!device) return device.error();
    const auto facts = read_host_facts(*device, wanted);
    if (!facts) return facts.error();
    const auto host = wanted_host(wanted, allowed_ips_after(*device, {}), *facts);
    if (host.fwmark != 0 && host.fwmark != device->fwmark) {
        DeviceChange mark;
        mark.fwmark = host.fwmark;
        if (auto marked = set_all(backend, mark); !marked) return marked.error();
    }
    const auto present = read_host_state(interface, host.fwmark);
    if (!present) return present.error();
    const auto steps = diff(host.state, *present, owned);
    for (const auto& step : steps)
        if (auto done = apply_step(step, interface); !done) return done.error();
    return !steps.empty();
}

} // namespace

Result<bool> apply_config(const std::string& interface, config::Config config,
                          const std::function<void(const Error&)>& warn) {
    if (::if_nametoindex(interface.c_str()) == 0) {
        InterfaceOptions options;
        options.hooks = false;
        options.warn = warn;
        const InterfaceFile file{fmt::format("/etc/wireguard/{}.conf", interface), interface};
        if (auto up = bring_up(file, config, options); !up) return up.error();
        return true;
    }
    auto backend = open_device(interface);
    if (!backend) return backend.error();
    const auto present = (*backend)->get();
    if (!present) return present.error();
    WantedDevice wanted = wanted_device(config);
    const DiffOptions options{.now = std::time(nullptr)};
    for (WantedPeer* peer : peers_to_look_up(wanted, *present, options)) {
        auto address = look_up(*peer->endpoint);
        if (address)
            peer->address = *address;
        else
            warn(address.error()); // the peer may call us
    }
    const auto change = diff(wanted, *present, options);
    if (auto done = set_all(**backend, change); !done) return done.error();
    auto host =
        change_host(**backend, interface, config.interface, allowed_ips_after(*present, {}));
    if (!host) return host;
    return !change.empty() || *host;
}

Result<void> remove_all_peers(const std::string& interface) {
    if (::if_nametoindex(interface.c_str()) == 0) return {};
    auto backend = open_device(interface);
    if (!backend) return backend.error();
    const auto present = (*backend)->get();
    if (!present) return present.error();
    DeviceChange change;
    for (const auto& peer : present->peers) change.removed_peers.push_back(peer.public_key);
    return set_all(**backend, change);
}

} // namespace wgkit::agent
