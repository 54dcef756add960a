// wgkit-agent: a node of a fleet that is published in a store.
#include <array>

#include "agent/commands.hpp"

using namespace wgkit::tool;

namespace {

constexpr std::array commands{
    Command{"join", "Make this machine a node, with a join token", agent::setup_join},
    Command{"run", "Apply every state that is published", agent::setup_run},
};

} // namespace

int main(int argc, char** argv) {
    return run("wgkit-agent", "Make this machine what a signed fleet says of it", commands, argc,
               argv);
}
