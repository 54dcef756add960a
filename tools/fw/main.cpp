// wgkit-fw: the firewall of a WireGuard interface.
#include <array>

#include "common/app.hpp"
#include "fw/commands.hpp"

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{
        Command{"", "", fw::setup_emit},
        Command{"check", "Report every mistake in the policy, and run its tests", fw::setup_check},
        Command{"plan", "Show what apply would change", fw::setup_plan},
        Command{"apply", "Load the rules into a firewall", fw::setup_apply},
        Command{"confirm", "Keep what apply --confirm has loaded", fw::setup_confirm},
        Command{"status", "Compare the rules that are loaded with those that should be",
                fw::setup_status},
        Command{"flush", "Take an interface's rules away", fw::setup_flush},
        Command{"restore", "Load again what was applied last", fw::setup_restore},
        Command{"analyze", "Find rules of ufw that never decide", fw::setup_analyze},
        Command{"explain", "Say which rule decides about a flow", fw::setup_explain},
    };
    return run("wgkit-fw", "Write and load the firewall rules of a WireGuard interface", commands,
               argc, argv);
}
