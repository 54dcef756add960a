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
    Tool{"net", "bring WireGuard interfaces up and down, look at them and change them"},
    Tool{"fleet", "act on all nodes of a fleet over ssh"},
    Tool{"store", "sign a fleet's state and publish it for agents"},
    Tool{"agent", "make this machine what a signed fleet says of it"},
    Tool{"status", "tell who is connected, over which path, and how far away"},
    Tool{"ping", "ask a node for an answer through its tunnel"},
    Tool{"monitor", "tell which WireGuard peers are really dead"},
    Tool{"alert", "tell people what is wrong, and lose no message"},
    Tool{"fw", "write the firewall rules of a WireGuard interface"},
    Tool{"rollback", "undo a change unless it is confirmed in time"},
    Tool{"tunnel", "run a WireGuard device in userspace"},
};
