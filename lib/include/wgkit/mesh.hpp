#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/inventory.hpp"
#include "wgkit/lock.hpp"
#include "wgkit/plan.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Operations on a fleet described by nodes.yaml: load, check, render. See wgkit-mesh(1).
namespace wgkit::mesh {

/// Where a fleet's files are.
struct Paths {
    std::string nodes; ///< nodes.yaml
    std::string lock;  ///< nodes.lock.yaml
    std::string keys;  ///< folder of private keys

    /// The usual places: nodes.lock.yaml and keys/ beside the inventory.
    WGKIT_API static Paths beside(const std::string& nodes);
};

/// A loaded fleet. Do not copy: the plans refer to inventory and lock.
struct Fleet {
    Paths paths;
    std::string source;    ///< text of nodes.yaml, for diagnostics
    std::string lock_text; ///< text of the lock as it is on disk; empty if there is none
    Inventory inventory;
    Lock lock;               ///< brought up to the inventory; not yet written
    std::vector<Plan> plans; ///< one for each network; empty if the inventory has errors
    Diagnostics diagnostics; ///< of parsing, of the lock and of every check

    Fleet() = default;
    Fleet(Fleet&&) = default;
    Fleet& operator=(Fleet&&) = default;
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    /// Whether the lock is to be written.
    bool lock_changed() const { return to_text(lock) != lock_text; }
};

/// Reads inventory and lock, allocates what is missing (in memory only) and runs every check.
/// Errors: only if a file cannot be read; findings are in Fleet::diagnostics.
WGKIT_API Result<Fleet> load(const Paths& paths, Date today);

/// As `load`, from texts. Pure.
WGKIT_API Fleet load_text(const Paths& paths, std::string nodes, std::string lock, Date today);

/// The day it is, in UTC.
WGKIT_API Date today();

/// What `render` writes, and where.
struct RenderOptions {
    std::string out = "out";
    bool locked = false;           ///< allocate and generate nothing; fail if it would be needed
    bool allow_open_keys = false;  ///< accept key files that others may read
    std::optional<Format> format;  ///< for all nodes instead of each one's own
    std::vector<std::string> only; ///< names of nodes; empty: all
    unsigned threads = 0;          ///< 0: as many as there are processors
    Date today{};
    /// Called from one thread at a time with files done and files in all.
    std::function<void(std::size_t done, std::size_t total)> progress;
};

/// What keeping a fleet's tunnels up costs it.
struct RunningCost {
    std::size_t nodes = 0;
    std::size_t links = 0;            ///< pairs of peers
    double keepalives_per_second = 0; ///< in the whole fleet, each way
    double handshakes_per_second = 0; ///< at most, with every session in use (rekey after 120 s)
    std::size_t config_bytes = 0;     ///< of all files
};

/// What `render` did.
struct RenderSummary {
    std::size_t files_written = 0;
    std::size_t files_unchanged = 0;
    std::size_t files_removed = 0;
    std::size_t keys_created = 0;
    bool lock_written = false;
    RunningCost cost;
};

/// Makes missing keys, writes the lock, then every node's files under `out/NODE/`, and the
/// manifest last. A file whose content is right is not touched. Killed at any point, the next run
/// completes it. The fleet must have no error diagnostics.
/// Errors: conflict if `locked` and something would have to be allocated; not_found for a missing
/// key file or an unknown name in `only`; permission for an open key file; system.
WGKIT_API Result<RenderSummary> render(Fleet& fleet, const RenderOptions& options);

/// One file of a node, as it is deployed.
struct NodeFile {
    std::string network;
    std::string node;
    std::string interface;
    std::string path; ///< below the node's root, e.g. etc/wireguard/wg0.conf
    SecretString content;
};

/// As `render`, but nothing is written except keys and lock: the files are the result, in the order
/// of the inventory. `out` and `progress` are not used.
WGKIT_API Result<std::vector<NodeFile>> render_files(Fleet& fleet, const RenderOptions& options);

} // namespace wgkit::mesh
