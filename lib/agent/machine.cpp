#include "agent/machine.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <ctime>
#include <vector>

#include "wgkit/device.hpp"
#include "wgkit/echo.hpp"
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

Result<bool> apply_config(const std::string& interface, config::Config& config,
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

class LocalMachine : public Machine {
  public:
    bool has(const std::string& interface) const override {
        return ::if_nametoindex(interface.c_str()) != 0;
    }
    Result<bool> apply(const std::string& interface, config::Config& config,
                       const std::function<void(const Error&)>& warn) override {
        return apply_config(interface, config, warn);
    }
    Result<void> remove_all_peers(const std::string& interface) override {
        if (!has(interface)) return {};
        const auto present = read_device(interface);
        if (!present) return present.error();
        std::vector<PublicKey> keys;
        for (const auto& peer : present->peers) keys.push_back(peer.public_key);
        return wgkit::remove_peers(interface, std::move(keys));
    }
    Result<void> remove_peers(const std::string& interface,
                              const std::vector<PublicKey>& keys) override {
        if (!has(interface) || keys.empty()) return {};
        return wgkit::remove_peers(interface, keys);
    }
    std::vector<bool> echo(const std::vector<IpAddress>& addresses,
                           std::chrono::milliseconds patience) override {
        const auto trips = wgkit::echo(addresses, patience);
        std::vector<bool> answers;
        for (std::size_t i = 0; i < addresses.size(); ++i)
            answers.push_back(!trips || (*trips)[i].has_value());
        return answers;
    }
};

} // namespace

std::unique_ptr<Machine> local_machine() { return std::make_unique<LocalMachine>(); }

} // namespace wgkit::agent
