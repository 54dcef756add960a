// wgkit-ping: whether a node answers through its tunnel.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <memory>
#include <thread>

#include "common/app.hpp"
#include "common/json.hpp"
#include "common/nodes.hpp"
#include "wgkit/device.hpp"
#include "wgkit/echo.hpp"

namespace wgkit::tool {

namespace {

struct Options {
    std::string node;
    std::string folder = ".";
    std::uint32_t count = 3;
    std::uint32_t seconds = 2;
    bool json = false;
};

/// Where a node is, and by which interface.
struct Target {
    std::string interface;
    IpAddress address;
    std::optional<DeviceEndpoint> endpoint;
};

Result<Target> find_target(const Options& options) {
    const auto interfaces = list_devices();
    if (!interfaces) return interfaces.error();
    const auto nodes = KnownNodes::load(options.folder, *interfaces);
    const auto key = nodes.find(options.node);
    if (!key)
        return Error{
            Errc::not_found, fmt::format("no peer is called {}", options.node),
            "names are in nodes.lock.yaml (--folder), or in comments of the interface's file"};
    for (const auto& name : *interfaces) {
        const auto device = read_device(name);
        if (!device) return device.error();
        for (const auto& peer : device->peers) {
            if (peer.public_key != *key) continue;
            const auto address = inner_address(peer, nodes.find(*key));
            if (!address)
                return Error{Errc::not_found,
                             fmt::format("{} has no address of its own on {}", options.node, name),
                             "its AllowedIPs have none of length 32 or 128"};
            return Target{name, *address, peer.endpoint};
        }
    }
    return Error{Errc::not_found, fmt::format("{} is no peer of this host", options.node),
                 "wgkit mesh explain tells the way to it"};
}

int ping(const Options& options, const Report& report) {
    const auto target = find_target(options);
    if (!target) return report.error(target.error());
    if (!options.json)
        fmt::print("{} is {} on {}, at {}\n", options.node, to_string(target->address),
                   target->interface,
                   target->endpoint ? to_string(*target->endpoint) : "no endpoint");
    Json trips = Json::array();
    std::uint32_t answered = 0;
    for (std::uint32_t number = 1; number <= options.count; ++number) {
        if (number != 1) std::this_thread::sleep_for(std::chrono::milliseconds(200));
        const auto trip =
            echo(std::span(&target->address, 1), std::chrono::seconds(options.seconds));
        if (!trip) return report.error(trip.error());
        const auto& time = trip->front();
        if (time) ++answered;
        trips.push_back(time ? Json(time->count()) : Json());
        if (options.json) continue;
        if (time)
            fmt::print("{}: {:.2f} ms\n", number, static_cast<double>(time->count()) / 1000);
        else
            fmt::print("{}: no answer in {} seconds\n", number, options.seconds);
        std::fflush(stdout);
    }
    if (options.json)
        print(Json{{"schema", 1},
                   {"node", options.node},
                   {"interface", target->interface},
                   {"address", to_string(target->address)},
                   {"endpoint", target->endpoint ? Json(to_string(*target->endpoint)) : Json()},
                   {"roundTripMicroseconds", std::move(trips)}});
    if (answered != 0) return exit_ok;
    report.error(fmt::format("{} does not answer", options.node),
                 fmt::format("wgkit net show {} and wgkit net doctor {} tell more",
                             target->interface, target->interface));
    return exit_failed;
}

Action setup(Arguments arguments) {
    auto options = std::make_shared<Options>();
    arguments.add_option("node", options->node, "The name of a peer, or its public key")
        .type_name("NODE")
        .required();
    arguments.add_option("-C,--folder", options->folder, "Where nodes.lock.yaml is")
        .type_name("FOLDER")
        .shows_default();
    arguments.add_option("-c,--count", options->count, "How often to ask")
        .type_name("N")
        .range(1, 1000000)
        .shows_default();
    arguments.add_option("-W,--wait", options->seconds, "How long to wait for each answer")
        .type_name("SECONDS")
        .range(1, 600)
        .shows_default();
    arguments.add_flag("--json", options->json, "Print JSON");
    return [options](const Report& report) { return ping(*options, report); };
}

} // namespace

} // namespace wgkit::tool

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{Command{"", "", setup}};
    return run("wgkit-ping", "Ask a node for an answer through its tunnel", commands, argc, argv);
}
