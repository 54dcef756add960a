#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/app.hpp"
#include "wgkit/mesh.hpp"

/// The commands of wgkit-mesh, one file each; main.cpp has their table.
namespace wgkit::tool::mesh {

Action check(Arguments app);
Action explain(Arguments app);
Action graph(Arguments app);
Action hosts(Arguments app);
Action import(Arguments app);
Action init(Arguments app);
Action keys(Arguments app);
Action plan(Arguments app);
Action qr(Arguments app);
Action rekey(Arguments app);
Action rename(Arguments app);
Action render(Arguments app);

/// Adds the positional argument that every command takes: the inventory, nodes.yaml by default.
void add_nodes_argument(Arguments app, std::string& path);

/// Loads a fleet and prints its findings. Errors: returned only if there is nothing to work on,
/// that is, if a file cannot be read or has errors; they are printed already then.
std::optional<wgkit::mesh::Fleet> load(const std::string& path, const Report& report);

/// `--format wg-quick|networkd|networkmanager|netplan`.
void add_format_option(Arguments app, std::string& format, const std::string& help);
std::optional<wgkit::mesh::Format> format_named(const std::string& name);

/// 1023 B, 1.5 KiB, 3.7 GiB.
std::string human_bytes(std::size_t bytes);

} // namespace wgkit::tool::mesh
