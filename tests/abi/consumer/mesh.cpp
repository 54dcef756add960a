// Uses another part of the installed library than main.cpp does.
#include <wgkit/inventory.hpp>

#include <iostream>

int main() {
    const char* text = "version: 1\nnetwork: {name: ten, ipv4: 10.0.0.0/24}\nnodes: [{name: a}]\n";
    const auto inventory = wgkit::mesh::parse_inventory(text, "nodes.yaml");
    for (const auto& network : inventory.inventory.networks)
        std::cout << network.name.value << '\n';
}
