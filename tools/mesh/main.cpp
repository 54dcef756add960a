// wgkit-mesh: a fleet's configurations from one nodes.yaml.
#include "commands.hpp"

using namespace wgkit::tool;

namespace {

constexpr std::array commands{
    Command{"check", "Report every mistake in the inventory", mesh::check},
    Command{"explain", "Say how two nodes reach each other, and why", mesh::explain},
    Command{"graph", "Show who is linked with whom", mesh::graph},
    Command{"hosts", "Print /etc/hosts lines of the fleet", mesh::hosts},
    Command{"import", "Make a nodes.yaml of configurations made elsewhere", mesh::import},
    Command{"keys", "Audit the fleet's keys and the files that hold them", mesh::keys},
    Command{"qr", "Show a node's configuration as a QR code", mesh::qr},
    Command{"render", "Write every node's configuration", mesh::render},
};

} // namespace

int main(int argc, char** argv) {
    return run("wgkit-mesh", "Render a fleet's WireGuard configurations from one nodes.yaml",
               commands, argc, argv);
}
