#include "monitor/sources.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <ctime>

#include "monitor/in_namespace.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::monitor {

namespace {

bool is_wanted(const Sources& sources, const std::string& name) {
    return sources.interfaces.empty()
           || std::find(sources.interfaces.begin(), sources.interfaces.end(), name)
                  != sources.interfaces.end();
}

/// The devices of the namespace that this thread is in. Configuration sockets are in one folder
/// for all: `only_here` leaves those out whose interface is somewhere else.
void take_here(const Sources& sources, const std::string& netns, bool only_here, Samples& to) {
    const auto names = list_devices();
    if (!names) {
        to.problems.push_back(names.error());
        return;
    }
    for (const auto& name : *names) {
        if (!is_wanted(sources, name)) continue;
        if (only_here && ::if_nametoindex(name.c_str()) == 0) continue;
        if (const auto device = read_device(name))
            to.devices.push_back(to_sample(*device, netns));
        else
            to.problems.push_back(device.error());
    }
}

void take_dump(const Sources& sources, Samples& to) {
    const std::string path = sources.dump == "-" ? "standard input" : sources.dump;
    const auto text = files::read(sources.dump);
    if (!text) {
        to.problems.push_back(text.error());
        return;
    }
    auto devices =
        parse_dump(*text, sources.interfaces.size() == 1 ? sources.interfaces.front() : "wg");
    if (!devices) {
        Error error = devices.error();
        error.message = fmt::format("{}: {}", path, error.message);
        to.problems.push_back(error);
        return;
    }
    for (auto& device : *devices)
        if (is_wanted(sources, device.interface)) to.devices.push_back(std::move(device));
}

milliseconds read(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::chrono::duration_cast<milliseconds>(seconds(now.tv_sec)
                                                    + std::chrono::nanoseconds(now.tv_nsec));
}

} // namespace

Samples take(const Sources& sources) {
    Samples samples;
    if (!sources.dump.empty()) {
        take_dump(sources, samples);
    } else {
        take_here(sources, "", !sources.netns.empty(), samples);
        for (const auto& netns : sources.netns) {
            if (const auto inside = InNamespace::enter(netns))
                take_here(sources, netns, true, samples);
            else
                samples.problems.push_back(inside.error());
        }
    }
    for (const auto& name : sources.interfaces)
        if (std::none_of(samples.devices.begin(), samples.devices.end(),
                         [&](const DeviceSample& device) { return device.interface == name; })
            && samples.problems.empty())
            samples.problems.push_back({Errc::not_found,
                                        fmt::format("no WireGuard device '{}'", name),
                                        "wgkit net show interfaces lists them"});
    if (samples.devices.empty() && samples.problems.empty())
        samples.problems.push_back({Errc::not_found, "no WireGuard device is here", {}});
    return samples;
}

Instant read_clocks() {
    Instant now{read(CLOCK_REALTIME), read(CLOCK_BOOTTIME), read(CLOCK_MONOTONIC), {}};
    if (const auto id = files::read("/proc/sys/kernel/random/boot_id"))
        now.boot_id = std::string(id->begin(), id->end() - (id->empty() ? 0 : 1));
    return now;
}

} // namespace wgkit::tool::monitor
