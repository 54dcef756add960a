// wgkit-net: WireGuard devices that run on this machine, the kernel's and those of userspace
// engines.
#include <array>

#include "common/app.hpp"
#include "net/plan.hpp"
#include "net/show.hpp"

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{
        Command{"apply", "Make a running device what its file says", net::setup_apply},
        Command{"plan", "Show what apply would change", net::setup_plan},
        Command{"show", "Show devices and their peers", net::setup_show},
    };
    return run("wgkit-net", "Look at the WireGuard devices of this machine, and change them",
               commands, argc, argv);
}
