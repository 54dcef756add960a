#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/firewall.hpp"

namespace wgkit::fw {

/// A flow that connection tracking knows.
struct Flow {
    IpAddress source;      ///< of its first packet
    IpAddress destination; ///< as that packet had it
    IpAddress target;      ///< where it goes: another address if that was translated
    std::uint8_t protocol = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0; ///< as the first packet had it; the type of ICMP
    std::uint16_t target_port = 0;

    auto operator<=>(const Flow&) const = default;
};

/// Lines of `conntrack -L`; what is no flow of IP is left out.
std::vector<Flow> parse_flows(std::string_view text);

/// The interface that leads to an address; "lo": the machine itself; empty: none.
using DeviceOf = std::function<std::string(const IpAddress&)>;

/// Those that the rules drop if they began now.
std::vector<Flow> refused_flows(const std::vector<Flow>& flows, const Ruleset& ruleset,
                                const DeviceOf& device_of);

} // namespace wgkit::fw
