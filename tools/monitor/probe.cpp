#include "monitor/probe.hpp"

#include <fmt/format.h>

#include <chrono>
#include <mutex>

#include "monitor/in_namespace.hpp"
#include "util/parallel.hpp"
#include "wgkit/echo.hpp"

namespace wgkit::tool::monitor {

namespace {

constexpr seconds patience{5};
constexpr unsigned tries = 5; ///< of a path that loses half of all packets one in 32 is missed
constexpr unsigned most_at_once = 16;

/// From the device's own namespace, in which this thread is then for so long.
Result<void> probe_device(const std::vector<ProbeTarget>& targets, DeviceSample& device) {
    std::optional<InNamespace> inside;
    if (!device.netns.empty()) {
        auto entered = InNamespace::enter(device.netns);
        if (!entered) return entered.error();
        inside.emplace(*std::move(entered));
    }
    std::vector<IpAddress> addresses;
    for (const auto& target : targets) addresses.push_back(target.address);
    const auto trips = echo(addresses, patience, {device.interface, tries});
    if (!trips) return trips.error();
    for (std::size_t i = 0; i < targets.size(); ++i)
        device.peers[targets[i].peer].probe = (*trips)[i] ? Probe::answered : Probe::unanswered;
    return {};
}

} // namespace

void probe(const std::vector<ProbeTarget>& targets, Samples& samples) {
    std::vector<std::vector<ProbeTarget>> by_device(samples.devices.size());
    for (const auto& target : targets) by_device[target.device].push_back(target);
    std::mutex guard;
    (void)parallel_for(by_device.size(), most_at_once, [&]() -> Worker {
        return [&](std::size_t i) -> Result<void> {
            if (by_device[i].empty()) return {};
            DeviceSample& device = samples.devices[i];
            const auto probed = probe_device(by_device[i], device);
            if (probed) return {};
            Error error = probed.error();
            error.message =
                fmt::format("cannot probe the peers of {}: {}", device.interface, error.message);
            const std::lock_guard lock(guard);
            samples.problems.push_back(std::move(error));
            return {};
        };
    });
}

} // namespace wgkit::tool::monitor
