// The SSH connection in use, and whether rules would refuse one like it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "fw/interface.hpp"
#include "fw/running.hpp"
#include "util/ascii.hpp"
#include "util/process.hpp"
#include "wgkit/files.hpp"

namespace wgkit::fw {

namespace {

/// "client port server port", as sshd writes it.
std::optional<Connection> parse_connection(std::string_view text) {
    const auto words = ascii::split(text, ' ');
    if (words.size() != 4) return std::nullopt;
    const auto client = IpAddress::parse(words[0].substr(0, words[0].find('%')));
    const auto server = IpAddress::parse(words[2].substr(0, words[2].find('%')));
    const auto port = ascii::to_number(words[3], 65535);
    if (!client || !server || !port) return std::nullopt;
    return Connection{*client, *server, static_cast<std::uint16_t>(*port), {}};
}

/// Of one process; sudo takes it out of the environment of what it runs.
std::optional<Connection> connection_of(pid_t process) {
    const auto environment = files::read(fmt::format("/proc/{}/environ", process));
    if (!environment) return std::nullopt;
    const std::string_view text(environment->data(), environment->size());
    for (const auto variable : ascii::split(text, '\0'))
        if (variable.starts_with("SSH_CONNECTION="))
            return parse_connection(variable.substr(variable.find('=') + 1));
    return std::nullopt;
}

pid_t parent_of(pid_t process) {
    const auto it = read_process(process);
    return it ? it->parent : 0;
}

/// The interface that answers leave by, which is the one that questions come in on.
std::string device_to(const IpAddress& client) {
    const auto said = output_of({"ip", "-o", "route", "get", to_string(client)}, {}, "no route");
    if (!said) return {};
    const auto words = ascii::split(*said, ' ');
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        if (words[i] == "dev") return std::string(words[i + 1]);
    return {};
}

Packet first_packet(const Ruleset& ruleset, const Connection& connection) {
    Packet packet;
    const auto devices = tunnel_devices(ruleset);
    packet.in_tunnel =
        std::find(devices.begin(), devices.end(), connection.device) != devices.end();
    packet.source = connection.client;
    packet.destination = connection.server;
    packet.destination_port = connection.port;
    return packet;
}

} // namespace

bool accepts(const Ruleset& ruleset, const Connection& connection) {
    return evaluate(ruleset, first_packet(ruleset, connection)).verdict
           == Decision::Verdict::accept;
}

std::optional<Connection> ssh_connection() {
    std::optional<Connection> found;
    if (const char* own = std::getenv("SSH_CONNECTION")) found = parse_connection(own);
    for (pid_t process = ::getppid(); !found && process > 1; process = parent_of(process))
        found = connection_of(process);
    if (found) found->device = device_to(found->client);
    return found;
}

std::optional<std::string> refuses(const Ruleset& ruleset, const Connection& connection) {
    const Packet packet = first_packet(ruleset, connection);
    const auto decision = evaluate(ruleset, packet);
    if (decision.verdict != Decision::Verdict::drop) return std::nullopt;
    return fmt::format("the rules of {} would cut the SSH connection from {} to port {}{}: {}",
                       ruleset.interface, to_string(connection.client), connection.port,
                       packet.in_tunnel ? ", which comes through the tunnel" : "", decision.reason);
}

} // namespace wgkit::fw
