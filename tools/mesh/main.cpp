// wgkit-mesh: a fleet's configurations from one nodes.yaml.
#include "commands.hpp"

using namespace wgkit::tool;

namespace {

constexpr std::array commands{
    Command{"init", "Write a first nodes.yaml", mesh::init},
    Command{"check", "Report every mistake in the inventory", mesh::check},
    Command{"plan", "Show what render would change", mesh::plan},
    Command{"render", "Write every node's configuration", mesh::render},
    Command{"rename", "Rename a node; its addresses and key stay", mesh::rename},
    Command{"rekey", "Make new private keys, or move to new preshared keys", mesh::rekey},
};

} // namespace

int main(int argc, char** argv) {
    return run("wgkit-mesh", "Render a fleet's WireGuard configurations from one nodes.yaml",
               commands, argc, argv);
}
