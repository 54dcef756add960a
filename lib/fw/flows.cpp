// Flows that were let through by rules that are gone: connection tracking would let them live on.
#include "fw/flows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "device/command.hpp"
#include "fw/constants.hpp"
#include "fw/running.hpp"
#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

/// The value of `NAME=VALUE` the first or second time that it is there.
std::string_view field_of(const std::vector<std::string_view>& words, std::string_view name,
                          int which) {
    for (const auto word : words)
        if (word.starts_with(name) && which-- == 0) return word.substr(name.size());
    return {};
}

std::uint16_t port_of(std::string_view text) {
    return static_cast<std::uint16_t>(ascii::to_number(text, 65535).value_or(0));
}

/// Where packets to each address leave, asked of ip(8) in one run.
std::map<IpAddress, std::string> devices_to(const std::vector<Flow>& flows) {
    std::map<IpAddress, std::string> devices;
    for (const auto& flow : flows)
        for (const auto* address : {&flow.source, &flow.target}) devices[*address];
    for (const bool v4 : {true, false}) {
        std::string questions;
        for (const auto& [address, device] : devices)
            if (address.is_v4() == v4)
                questions += fmt::format("route get {}\n", to_string(address));
        if (questions.empty()) continue;
        // Addresses without a route are reported and left out.
        CommandOptions options;
        options.input = questions;
        options.keeps_output = true;
        options.silent = true;
        const auto ran = run_command({"ip", "-o", "-force", "-batch", "-"}, options);
        if (!ran) continue;
        for (const auto line : ascii::split(ran->output, '\n')) {
            const auto words = ascii::split(line, ' ');
            const bool has_kind = !words.empty() && words[0] == "local";
            const auto address =
                words.size() > 1 ? IpAddress::parse(words[has_kind ? 1 : 0]) : std::nullopt;
            if (!address) continue;
            for (std::size_t i = 0; i + 1 < words.size(); ++i)
                if (words[i] == "dev") {
                    devices[*address] = words[i + 1];
                    break;
                }
        }
    }
    return devices;
}

std::vector<std::string> deletion(const Flow& flow) {
    std::vector<std::string> words{"conntrack", "-D",
                                   "-f",        flow.source.is_v4() ? "ipv4" : "ipv6",
                                   "-p",        fmt::format("{}", flow.protocol),
                                   "-s",        to_string(flow.source),
                                   "-d",        to_string(flow.destination)};
    if (has_ports(flow.protocol))
        words.insert(words.end(), {"--sport", fmt::format("{}", flow.source_port), "--dport",
                                   fmt::format("{}", flow.destination_port)});
    return words;
}

} // namespace

std::vector<Flow> parse_flows(std::string_view text) {
    std::vector<Flow> flows;
    for (const auto line : ascii::split(text, '\n')) {
        const auto words = ascii::split(line, ' ');
        std::vector<std::string_view> filled;
        for (const auto word : words)
            if (!word.empty()) filled.push_back(word);
        if (filled.size() < 4) continue;
        const auto protocol = ascii::to_number(filled[1], 255);
        const auto source = IpAddress::parse(field_of(filled, "src=", 0));
        const auto destination = IpAddress::parse(field_of(filled, "dst=", 0));
        const auto target = IpAddress::parse(field_of(filled, "src=", 1));
        if (!protocol || !source || !destination || !target) continue;
        Flow flow{*source, *destination, *target, static_cast<std::uint8_t>(*protocol)};
        flow.source_port = port_of(field_of(filled, "sport=", 0));
        flow.destination_port = port_of(field_of(filled, "dport=", 0));
        flow.target_port = port_of(field_of(filled, "sport=", 1));
        if (const auto type = field_of(filled, "type=", 0); !type.empty())
            flow.destination_port = flow.target_port = port_of(type);
        flows.push_back(flow);
    }
    return flows;
}

std::vector<Flow> refused_flows(const std::vector<Flow>& flows, const Ruleset& ruleset,
                                const DeviceOf& device_of) {
    std::vector<Flow> refused;
    for (const auto& flow : flows) {
        Packet packet;
        const std::string from = device_of(flow.source);
        const std::string to = device_of(flow.target);
        if (from == "lo") continue; // began here
        packet.hook = to == "lo" ? Hook::input : Hook::forward;
        packet.in_tunnel = from == ruleset.interface;
        packet.out_tunnel = to == ruleset.interface;
        packet.source = flow.source;
        packet.destination = flow.target;
        packet.protocol = flow.protocol;
        packet.destination_port = flow.target_port;
        if (evaluate(ruleset, packet).verdict == Decision::Verdict::drop) refused.push_back(flow);
    }
    return refused;
}

Result<std::size_t> cut_flows(const std::vector<Ruleset>& rulesets) {
    if (!has_program("conntrack")) return std::size_t{0};
    CommandOptions options;
    options.keeps_output = true;
    options.silent = true;
    std::vector<Flow> flows;
    for (const char* family : {"ipv4", "ipv6"}) {
        const auto ran = run_command({"conntrack", "-L", "-f", family}, options);
        if (!ran) return ran.error();
        if (ran->status != 0)
            return Error{Errc::system, "conntrack cannot list the flows that are known",
                         "it needs CAP_NET_ADMIN"};
        const auto some = parse_flows(ran->output);
        flows.insert(flows.end(), some.begin(), some.end());
    }
    if (flows.empty()) return std::size_t{0};
    const auto devices = devices_to(flows);
    std::vector<Flow> refused;
    for (const auto& ruleset : rulesets) {
        const auto some = refused_flows(
            flows, ruleset, [&](const IpAddress& address) { return devices.at(address); });
        refused.insert(refused.end(), some.begin(), some.end());
    }
    std::sort(refused.begin(), refused.end());
    refused.erase(std::unique(refused.begin(), refused.end()), refused.end());
    std::size_t cut = 0;
    for (const auto& flow : refused) {
        const auto ran = run_command(deletion(flow), options);
        if (ran && ran->status == 0) ++cut; // else it has ended by itself
    }
    return cut;
}

} // namespace wgkit::fw
