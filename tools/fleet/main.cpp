// wgkit-fleet: a whole fleet from one machine, over ssh. What a fleet on agents begins with is here
// under the same names; the programs for it are wgkit-store and wgkit-agent.
#include "agent/commands.hpp"
#include "commands.hpp"
#include "store/commands.hpp"

using namespace wgkit::tool;

namespace {

constexpr std::array commands{
    Command{"status", "Tell how every node is, and what is pending", fleet::setup_status},
    Command{"import", "Make a nodes.yaml of a fleet that runs", fleet::setup_import},
    Command{"bootstrap", "Bring wgkit to nodes, and learn their keys", fleet::setup_bootstrap},
    Command{"plan", "Show what would change on every node", fleet::setup_plan},
    Command{"apply", "Change all nodes, in waves that can go back", fleet::setup_apply},
    Command{"rotate", "Give nodes new keys, without losing a packet", fleet::setup_rotate},
    Command{"revoke", "Take a node's key off every other node, for good", fleet::setup_revoke},
    Command{"log", "Tell who changed what", fleet::setup_log},
    Command{"join", "Make this machine a node of a fleet on agents", agent::setup_join},
    Command{"approve", "Make nodes that joined lasting, as wgkit store does", store::setup_approve},
    Command{"node", "Answer an operator; run on nodes by ssh", fleet::setup_node},
};

} // namespace

int main(int argc, char** argv) {
    return run("wgkit-fleet", "Act on all nodes of a fleet over ssh", commands, argc, argv);
}
