// wgkit-mesh: a fleet's configurations from one nodes.yaml.
#include "commands.hpp"

using namespace wgkit::tool;

namespace {

constexpr std::array commands{
    Command{"init", "Write a first nodes.yaml", mesh::init},
    Command{"check", "Report every mistake in the inventory", mesh::check},
    Command{"plan", "Show what render would change", mesh::plan},
    Command{"render", "Write every node's configuration", mesh::render},
    Command{"explain", "Say how two nodes reach each other, and why", mesh::explain},
    Command{"graph", "Show who is linked with whom", mesh::graph},
    Command{"hosts", "Print /etc/hosts lines of the fleet", mesh::hosts},
    Command{"qr", "Show a node's configuration as a QR code", mesh::qr},
    Command{"keys", "Audit the fleet's keys and the files that hold them", mesh::keys},
    Command{"rename", "Rename a node; its addresses and key stay", mesh::rename},
    Command{"rekey", "Make new private keys, or move to new preshared keys", mesh::rekey},
    Command{"import", "Make a nodes.yaml of configurations made elsewhere", mesh::import},
};

} // namespace

int main(int argc, char** argv) {
    return run("wgkit-mesh", "Render a fleet's WireGuard configurations from one nodes.yaml",
               commands, argc, argv);
}
