// wgkit-config: checks, formats and shows the configuration files of wg and wg-quick.
#include "file.hpp"

using namespace wgkit::tool;

namespace {

constexpr std::array commands{
    Command{"check", "Report every mistake in the files", config::check},
    Command{"fmt", "Write the files in the canonical form", config::format},
    Command{"dump", "Print what the files say, without their secrets", config::dump},
};

} // namespace

int main(int argc, char** argv) {
    return run("wgkit-config", "Check and format WireGuard configuration files", commands, argc,
               argv);
}
