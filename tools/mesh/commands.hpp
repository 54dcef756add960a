#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/app.hpp"
#include "wgkit/mesh.hpp"

/// The commands of wgkit-mesh, one file each; main.cpp has their table.
namespace wgkit::tool::mesh {

Action check(CLI::App& app);
Action explain(CLI::App& app);
Action graph(CLI::App& app);
Action hosts(CLI::App& app);
Action import(CLI::App& app);
Action init(CLI::App& app);
Action keys(CLI::App& app);
Action plan(CLI::App& app);
Action qr(CLI::App& app);
Action rekey(CLI::App& app);
Action rename(CLI::App& app);
Action render(CLI::App& app);

/// Adds the positional argument that every command takes: the inventory, nodes.yaml by default.
void add_nodes_argument(CLI::App& app, std::string& path);

/// Loads a fleet and prints its findings. Errors: returned only if there is nothing to work on,
/// that is, if a file cannot be read or has errors; they are printed already then.
std::optional<wgkit::mesh::Fleet> load(const std::string& path, const Report& report);

/// `--format wg-quick|networkd|networkmanager|netplan`.
void add_format_option(CLI::App& app, std::string& format, const std::string& help);
std::optional<wgkit::mesh::Format> format_named(const std::string& name);

/// 1023 B, 1.5 KiB, 3.7 GiB.
std::string human_bytes(std::size_t bytes);

} // namespace wgkit::tool::mesh
