// `wgkit fleet bootstrap`: wgkit on nodes that have only ssh, and the keys that they keep.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "commands.hpp"
#include "common/json.hpp"
#include "fleet/common.hpp"
#include "fleet/record.hpp"
#include "util/child.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh_edit.hpp"
#include "wgkit/version.hpp"

namespace wgkit::tool::fleet {

namespace {

constexpr auto install_patience = std::chrono::seconds(600);

// Standard input is the package; standard output is what it installed. Errors are one line that
// tells why. A folder that was brought earlier would be found before the package's programs.
constexpr const char* install_deb = R"sh(set -e
s=; [ "$(id -u)" = 0 ] || s="sudo -n"
fail() { echo "$*" >&2; exit 1; }
f=$(mktemp /tmp/wgkit-XXXXXX.deb)
trap 'rm -f "$f"' EXIT
cat >"$f"
chmod 644 "$f"
command -v apt-get >/dev/null || fail "it has no apt-get: bring a folder instead of a package"
has=$(dpkg --print-architecture)
is=$(dpkg-deb -f "$f" Architecture) || exit 1
[ "$is" = "$has" ] || [ "$is" = all ] || fail "the package is for $is, but the machine is $has"
install() {
  o="-y --no-install-recommends --allow-downgrades --reinstall -o DPkg::Lock::Timeout=60"
  said=$($s env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get install $o "$f" 2>&1)
}
again() {
  case $said in *"dpkg was interrupted"*) ;; *) return 1 ;; esac
  $s env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >/dev/null 2>&1 || :
  install
}
why() { echo "$said" | grep -m 1 -A 1 -e '^ wgkit' -e '^dpkg.*: error' -e '^E: ' | tr -s '\n ' ' '; }
install || again || { w=$(why); fail "${w:-$(echo "$said" | tail -n 1)}"; }
d=/usr/local/lib/wgkit
case $(readlink /usr/local/bin/wgkit) in "$d"/*) $s rm -rf /usr/local/bin/wgkit "$d" ;; esac
/usr/bin/wgkit --version)sh";

// Standard input is a tar of a folder; it takes its place only once it is whole.
constexpr const char* install_folder = R"sh(set -e
s=; [ "$(id -u)" = 0 ] || s="sudo -n"
d=/usr/local/lib/wgkit
$s rm -rf "$d.new" "$d.old"
$s mkdir -p "$d.new" /usr/local/bin
$s tar xzf - -C "$d.new"
if [ -e "$d" ]; then $s mv "$d" "$d.old"; fi
$s mv "$d.new" "$d"
for p in "$d/bin/wgkit" "$d/wgkit"; do
  if [ -x "$p" ]; then $s ln -sfn "$p" /usr/local/bin/wgkit; fi
done
$s rm -rf "$d.old"
/usr/local/bin/wgkit --version)sh";

struct BootstrapOptions {
    FleetOptions fleet;
    std::vector<std::string> nodes;
    std::string from;
    bool force = false;
};

/// What goes to each node, and the command that takes it there.
struct Package {
    std::string command;
    SecretString content;
};

Result<Package> load_package(const std::string& from) {
    if (std::filesystem::is_directory(from)) {
        auto packed = run_child({"tar", "-czf", "-", "-C", from, "."}, {}, install_patience,
                                files::max_input_bytes);
        if (!packed) return packed.error();
        if (packed->status != 0)
            return Error{Errc::system, fmt::format("cannot pack {}: {}", from, packed->errors), {}};
        return Package{install_folder, std::move(packed->output)};
    }
    auto content = files::read(from);
    if (!content) return content.error();
    if (!std::string_view(*content).starts_with("!<arch>\n"))
        return Error{Errc::invalid, fmt::format("{} is no Debian package", from),
                     "give a .deb, or a folder as packaging/folder makes it"};
    return Package{install_deb, *std::move(content)};
}

/// A node, and where it keeps keys that the fleet does not know yet.
struct Newcomer {
    Target target;
    std::vector<wgkit::mesh::LearnedKey> wanted;
    std::vector<std::string> interfaces; ///< of `wanted`
    std::string what;                    ///< what was done
    std::optional<Error> error;
};

Result<std::vector<Newcomer>> newcomers(const wgkit::mesh::Fleet& fleet,
                                        const std::vector<std::string>& names) {
    std::vector<Newcomer> out;
    std::set<std::string> left(names.begin(), names.end());
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes) {
            const auto& name = node.name.value;
            if (std::find(names.begin(), names.end(), name) == names.end() || !node.managed)
                continue;
            left.erase(name);
            auto known = std::find_if(out.begin(), out.end(),
                                      [&](const Newcomer& one) { return one.target.name == name; });
            if (known == out.end()) {
                Newcomer one;
                one.target = {name, node.ssh};
                known = out.insert(out.end(), std::move(one));
            }
            const auto* lock = fleet.lock.find(network.name.value);
            const auto* line = lock != nullptr ? lock->find(name) : nullptr;
            const bool is_known = node.public_key || (line != nullptr && line->key);
            if (node.keys != wgkit::mesh::Custody::node || is_known) continue;
            known->wanted.push_back({network.name.value, name, {}});
            known->interfaces.push_back(node.interface);
        }
    if (!left.empty())
        return Error{
            Errc::not_found,
            fmt::format("{} has no node '{}' that is managed", fleet.paths.nodes, *left.begin()),
            "add it there first"};
    return out;
}

/// A change that waits would be undone by a program that is replaced meanwhile.
bool waits(const Reply& reply) {
    const auto& all = reply.answer.interfaces;
    return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.pending; });
}

/// Brings the package there. Errors: those of the node's package manager; conflict if another wgkit
/// than what was brought answers.
Result<std::string> bring(const Newcomer& node, Transport& transport, const Package& package) {
    const auto ran = transport.run(node.target, package.command, package.content, install_patience);
    if (!ran) return ran.error();
    const auto said = last_line(*ran); // "wgkit 0.1.0"
    const auto brought = said.substr(said.rfind(' ') + 1);
    const auto reply = transport.call(node.target, request_for("state"));
    if (!reply.is_good()) return reply.error;
    if (reply.answer.version != brought)
        return Error{Errc::conflict,
                     fmt::format("{}: it got {}, but {} answers", node.target.name, brought,
                                 reply.answer.version),
                     fmt::format("another wgkit comes first in its PATH: try `ssh {} command -v "
                                 "wgkit`",
                                 address_of(node.target))};
    return brought;
}

void install(Newcomer& node, Transport& transport, const std::optional<Package>& package,
             bool force) {
    const auto reply = transport.call(node.target, request_for("state"));
    const bool is_other = reply.is_good() && reply.answer.version != wgkit::version;
    if (reply.is_good() && !is_other && !force) {
        node.what = "has it already";
        return;
    }
    if (!reply.is_good() && reply.trouble != Trouble::no_wgkit) {
        node.error = reply.error;
        return;
    }
    if (!package && is_other) {
        node.what = fmt::format("has {}; this machine has {}", reply.answer.version, version);
        return;
    }
    if (!package) {
        node.error = Error{Errc::not_found, reply.error.message,
                           "give the package or the folder to bring there: --from PATH"};
        return;
    }
    if (waits(reply)) {
        node.error =
            Error{Errc::conflict,
                  fmt::format("{}: a change waits for its confirmation there", node.target.name),
                  "confirm it, or wait until it has gone back"};
        return;
    }
    const auto brought = bring(node, transport, *package);
    if (!brought)
        node.error = brought.error();
    else if (*brought != version)
        node.what = fmt::format("got {}; this machine has {}", *brought, version);
    else
        node.what = fmt::format("got {}", *brought);
}

void learn_keys(Newcomer& node, Transport& transport) {
    if (node.error || node.wanted.empty()) return;
    auto request = request_for("key");
    for (const auto& interface : node.interfaces) request.files.push_back({interface, {}, {}, {}});
    const auto reply = transport.call(node.target, request);
    if (!reply.is_good()) {
        node.error = reply.error;
        return;
    }
    for (std::size_t i = 0; i < node.wanted.size(); ++i)
        for (const auto& one : reply.answer.interfaces)
            if (one.name == node.interfaces[i] && one.key) node.wanted[i].key = *one.key;
    node.what += ", has its key";
}

int run_bootstrap(const BootstrapOptions& options, const Report& report) {
    const auto record = Record::lock(options.fleet.nodes);
    if (!record) return report.error(record.error());
    const auto fleet =
        wgkit::mesh::load(wgkit::mesh::Paths::beside(options.fleet.nodes), wgkit::mesh::today());
    if (!fleet) return report.error(fleet.error());
    // That keys are missing is why we are here.
    Diagnostics others(fleet->diagnostics.file());
    for (const auto& one : fleet->diagnostics.all())
        if (one.severity == Severity::error && one.code != "missing-public-key")
            others.error(one.code, one.mark, one.message).hint = one.hint;
    if (others.errors() != 0) {
        report.findings(others, fleet->source);
        return exit_failed;
    }
    auto nodes = newcomers(*fleet, options.nodes);
    if (!nodes) return report.error(nodes.error());
    std::optional<Package> package;
    if (!options.from.empty()) {
        auto loaded = load_package(options.from);
        if (!loaded) return report.error(loaded.error());
        package = *std::move(loaded);
    }
    Transport transport{std::chrono::seconds(options.fleet.connect_timeout)};
    std::vector<Target> targets;
    for (const auto& node : *nodes) targets.push_back(node.target);
    for_each_target(targets, options.fleet.parallel, "bootstrapping", [&](std::size_t i) {
        install((*nodes)[i], transport, package, options.force);
        learn_keys((*nodes)[i], transport);
    });
    int status = exit_ok;
    std::vector<wgkit::mesh::LearnedKey> keys;
    std::vector<std::string> done;
    Json list = Json::array();
    for (const auto& node : *nodes) {
        list.push_back({{"node", node.target.name},
                        {"done", node.what},
                        {"error", node.error ? node.error->message : ""}});
        if (node.error) {
            status = report.error(*node.error);
            continue;
        }
        done.push_back(node.target.name);
        keys.insert(keys.end(), node.wanted.begin(), node.wanted.end());
        if (!options.fleet.json) fmt::print("{}: {}\n", node.target.name, node.what);
    }
    if (!keys.empty())
        if (auto entered = enter_keys(fleet->paths, keys, wgkit::mesh::today()); !entered)
            return report.error(entered.error());
    if (options.fleet.json) print(Json{{"schema", 1}, {"nodes", std::move(list)}});
    if (auto logged = record->log("bootstrap", done, status == exit_ok ? "done" : "failed", "");
        !logged)
        return report.error(logged.error());
    return status;
}

} // namespace

Action setup_bootstrap(Arguments arguments) {
    auto options = std::make_shared<BootstrapOptions>();
    arguments.add_option("NODE", options->nodes, "Nodes of the inventory").type_name("").required();
    add_fleet_options(arguments, options->fleet);
    arguments
        .add_option("--from", options->from,
                    "What to bring there: a .deb, or a folder of programs and libraries")
        .type_name("PATH");
    arguments.add_flag("--force", options->force, "Bring it although it is there");
    return [options](const Report& report) { return run_bootstrap(*options, report); };
}

} // namespace wgkit::tool::fleet
