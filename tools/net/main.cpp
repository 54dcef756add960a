// wgkit-net: WireGuard devices that run on this machine, the kernel's and those of userspace
// engines.
#include <array>

#include "common/app.hpp"
#include "net/show.hpp"

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{
        Command{"show", "Show devices and their peers", net::setup_show},
    };
    return run("wgkit-net", "Look at the WireGuard devices of this machine", commands, argc, argv);
}
