// wgkit-net: WireGuard devices that run on this machine, the kernel's and those of userspace
// engines.
#include <array>

#include "common/app.hpp"
#include "net/apply.hpp"
#include "net/confirm.hpp"
#include "net/doctor.hpp"
#include "net/plan.hpp"
#include "net/resolve.hpp"
#include "net/restore.hpp"
#include "net/rotate.hpp"
#include "net/show.hpp"
#include "net/up.hpp"

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{
        Command{"apply", "Make a running device what its file says", net::setup_apply},
        Command{"confirm", "Keep a change that waits for its confirmation", net::setup_confirm},
        Command{"plan", "Show what apply would change", net::setup_plan},
        Command{"show", "Show devices and their peers", net::setup_show},
        Command{"up", "Bring an interface up from its file", net::setup_up},
        Command{"down", "Take an interface down", net::setup_down},
        Command{"save", "Write a running interface back to its file", net::setup_save},
        Command{"strip", "Print a file without what is wg-quick's", net::setup_strip},
        Command{"restore", "Bring back what apply --confirm has saved", net::setup_restore},
        Command{"resolve", "Set endpoints whose names have moved", net::setup_resolve},
        Command{"rotate", "Give an interface new keys without an outage", net::setup_rotate},
        Command{"doctor", "Find what keeps tunnels from working", net::setup_doctor},
    };
    return run("wgkit-net", "Look at the WireGuard devices of this machine, and change them",
               commands, argc, argv);
}
