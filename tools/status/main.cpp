// wgkit-status: who is connected, over which path, and how far away.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>
#include <memory>

#include "common/app.hpp"
#include "common/json.hpp"
#include "common/nodes.hpp"
#include "wgkit/device.hpp"
#include "wgkit/echo.hpp"

namespace wgkit::tool {

namespace {

using std::chrono::microseconds;

/// A session ends so long after its handshake (Reject-After-Time, section 6.1 of the paper).
constexpr std::int64_t session_seconds = 180;

struct Options {
    std::vector<std::string> interfaces;
    std::string folder = ".";
    bool pings = true;
    bool json = false;
};

struct Row {
    std::string interface;
    PublicKey key;
    std::string name;
    std::optional<DeviceEndpoint> endpoint;
    std::optional<std::int64_t> age; ///< seconds since the last handshake
    std::optional<IpAddress> address;
    std::optional<microseconds> trip;

    bool is_alive() const { return age && *age <= session_seconds; }
};

const char* state_of(const Row& row) {
    return row.is_alive() ? "alive" : row.age ? "silent" : "never connected";
}

std::vector<Row> rows_of(const std::vector<Device>& devices, const KnownNodes& nodes) {
    const std::int64_t now = std::time(nullptr);
    std::vector<Row> rows;
    for (const auto& device : devices) {
        for (const auto& peer : device.peers) {
            const KnownNode* node = nodes.find(peer.public_key);
            Row row{device.name,
                    peer.public_key,
                    node != nullptr ? node->name : "",
                    peer.endpoint,
                    {},
                    inner_address(peer, node),
                    {}};
            if (peer.last_handshake_seconds != 0)
                row.age = std::max<std::int64_t>(0, now - peer.last_handshake_seconds);
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

/// Only those that are connected: others would not answer, and a packet to them begins a handshake.
Result<void> add_trips(std::vector<Row>& rows) {
    std::vector<IpAddress> addresses;
    std::vector<Row*> asked;
    for (auto& row : rows) {
        if (!row.is_alive() || !row.address) continue;
        addresses.push_back(*row.address);
        asked.push_back(&row);
    }
    const auto trips = echo(addresses, std::chrono::seconds(1));
    if (!trips) return trips.error();
    for (std::size_t i = 0; i < asked.size(); ++i) asked[i]->trip = (*trips)[i];
    return {};
}

std::string age_text(const Row& row) {
    if (!row.age) return "never";
    if (*row.age < 120) return fmt::format("{} s ago", *row.age);
    if (*row.age < 7200) return fmt::format("{} min ago", *row.age / 60);
    if (*row.age < 172800) return fmt::format("{} h ago", *row.age / 3600);
    return fmt::format("{} days ago", *row.age / 86400);
}

std::string trip_text(const Row& row) {
    if (!row.trip) return "-";
    return fmt::format("{:.2f} ms", static_cast<double>(row.trip->count()) / 1000);
}

void print_table(const std::vector<Row>& rows) {
    using Line = std::array<std::string, 6>;
    std::vector<Line> lines{{"INTERFACE", "PEER", "STATE", "PATH", "HANDSHAKE", "ROUND TRIP"}};
    for (const auto& row : rows)
        lines.push_back({row.interface,
                         row.name.empty() ? to_string(row.key).substr(0, 12) + "..." : row.name,
                         state_of(row), row.endpoint ? to_string(*row.endpoint) : "-",
                         age_text(row), trip_text(row)});
    std::array<std::size_t, 6> widths{};
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i)
            widths.at(i) = std::max(widths.at(i), line.at(i).size());
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i)
            text += fmt::format("{:<{}}  ", line.at(i), widths.at(i));
        text.erase(text.find_last_not_of(' ') + 1);
        fmt::print("{}\n", text);
    }
}

Json to_json(const std::vector<Row>& rows) {
    Json list = Json::array();
    for (const auto& row : rows)
        list.push_back({{"interface", row.interface},
                        {"publicKey", to_string(row.key)},
                        {"name", row.name.empty() ? Json() : Json(row.name)},
                        {"state", state_of(row)},
                        {"endpoint", row.endpoint ? Json(to_string(*row.endpoint)) : Json()},
                        {"handshakeAge", row.age ? Json(*row.age) : Json()},
                        {"address", row.address ? Json(to_string(*row.address)) : Json()},
                        {"roundTripMicroseconds", row.trip ? Json(row.trip->count()) : Json()}});
    return {{"schema", 1}, {"peers", std::move(list)}};
}

int status(const Options& options, const Report& report) {
    std::vector<std::string> names = options.interfaces;
    if (names.empty()) {
        auto all = list_devices();
        if (!all) return report.error(all.error());
        names = *std::move(all);
    }
    std::vector<Device> devices;
    for (const auto& name : names) {
        auto device = read_device(name);
        if (!device) return report.error(device.error());
        devices.push_back(*std::move(device));
    }
    auto rows = rows_of(devices, KnownNodes::load(options.folder, names));
    if (options.pings)
        if (const auto added = add_trips(rows); !added)
            report.warning(added.error().message, "--no-ping goes without round trips");
    if (options.json)
        print(to_json(rows));
    else if (!rows.empty())
        print_table(rows);
    return exit_ok;
}

Action setup(Arguments arguments) {
    auto options = std::make_shared<Options>();
    arguments.add_option("IFACE", options->interfaces, "Interfaces; by default all of WireGuard")
        .type_name("");
    arguments.add_option("-C,--folder", options->folder, "Where nodes.lock.yaml is")
        .type_name("FOLDER")
        .shows_default();
    arguments.add_flag("!--no-ping", options->pings, "Do not measure round trips");
    arguments.add_flag("--json", options->json, "Print JSON");
    return [options](const Report& report) { return status(*options, report); };
}

} // namespace

} // namespace wgkit::tool

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{Command{"", "", setup}};
    return run("wgkit-status", "Tell who is connected, over which path, and how far away", commands,
               argc, argv);
}
