// wgkit-store: the operator's side of a fleet on agents.
#include <array>

#include "store/commands.hpp"

using namespace wgkit::tool;

namespace {

constexpr std::array commands{
    Command{"init", "Make an operator's keys and set a store up", store::setup_init},
    Command{"publish", "Sign nodes.yaml and publish it", store::setup_publish},
    Command{"plan", "Tell what publishing would change, node by node", store::setup_plan},
    Command{"apply", "Publish nodes.yaml, one wave of nodes after the other", store::setup_apply},
    Command{"joinkey", "Make a token with which machines join", store::setup_joinkey},
    Command{"approve", "Make nodes that joined lasting", store::setup_approve},
    Command{"revoke", "Take a node or a join key out, for good", store::setup_revoke},
    Command{"rotate", "Give nodes new keys, without losing a packet", store::setup_rotate},
    Command{"status", "Tell what is published, and what nodes have applied", store::setup_status},
    Command{"log", "Tell what operators did", store::setup_log},
};

} // namespace

int main(int argc, char** argv) {
    return run("wgkit-store", "Sign a fleet's state and publish it for agents", commands, argc,
               argv);
}
