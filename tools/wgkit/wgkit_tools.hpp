#pragma once

#include <array>
#include <string_view>

struct Tool {
    std::string_view name;
    std::string_view help;
};

/// The programs that come with wgkit, in the order of a fleet's life.
inline constexpr std::array wgkit_tools{
    Tool{"keygen", "make keys, as wg genkey, pubkey and genpsk, and whole key files"},
    Tool{"config", "check, format and dump WireGuard configuration files"},
    Tool{"mesh", "render a fleet's configurations from one nodes.yaml"},
    Tool{"net", "show the WireGuard devices of this machine"},
    Tool{"fw", "write the firewall rules of a WireGuard interface"},
    Tool{"tunnel", "run a WireGuard device in userspace"},
};
