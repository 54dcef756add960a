// wgkit-fw: the firewall of a WireGuard interface.
#include <array>

#include "common/app.hpp"
#include "fw/commands.hpp"

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{
        Command{"", "", fw::setup_emit},
        Command{"check", "Report every mistake in the policy, and run its tests", fw::setup_check},
        Command{"explain", "Say which rule decides about a flow", fw::setup_explain},
    };
    return run("wgkit-fw", "Write the firewall rules of a WireGuard interface", commands, argc,
               argv);
}
