#include "fleet/common.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "common/progress.hpp"
#include "util/host_name.hpp"
#include "util/parallel.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeRequest;

void add_fleet_options(Arguments arguments, FleetOptions& options) {
    arguments.add_option("-f,--file", options.nodes, "The inventory")
        .type_name("FILE")
        .shows_default();
    arguments.add_option("--parallel", options.parallel, "How many nodes at once")
        .type_name("N")
        .range(1, 256)
        .shows_default();
    arguments
        .add_option("--connect-timeout", options.connect_timeout,
                    "Seconds that a connection may take to begin")
        .type_name("SECONDS")
        .range(1, 600)
        .shows_default();
    arguments.add_flag("--json", options.json, "Print JSON");
}

std::optional<wgkit::mesh::Fleet> load_fleet(const std::string& path, const Report& report) {
    auto fleet = wgkit::mesh::load(wgkit::mesh::Paths::beside(path), wgkit::mesh::today());
    if (!fleet) {
        auto error = fleet.error();
        if (error.code == Errc::not_found && error.hint.empty())
            error.hint = "`wgkit fleet import HOST...` writes it from machines that run";
        report.error(error);
        return std::nullopt;
    }
    // Files that come over ssh have the node's key in them, so that a reload keeps it.
    Diagnostics shown(fleet->diagnostics.file());
    for (const auto& one : fleet->diagnostics.all())
        if (one.code != "key-on-node") {
            auto& copy = one.severity == Severity::error
                             ? shown.error(one.code, one.mark, one.message)
                             : shown.warning(one.code, one.mark, one.message);
            copy.file = one.file;
            copy.hint = one.code == "missing-public-key"
                            ? "`wgkit fleet bootstrap NODE` has it made there, and enters it"
                            : one.hint;
            copy.notes = one.notes;
        }
    report.findings(shown, fleet->source);
    if (fleet->diagnostics.errors() != 0) return std::nullopt;
    return std::move(*fleet);
}

Result<std::vector<Target>> targets_of(const wgkit::mesh::Fleet& fleet,
                                       const std::vector<std::string>& only) {
    std::vector<Target> targets;
    std::set<std::string> known;
    for (const auto& plan : fleet.plans)
        for (wgkit::mesh::NodeIndex i = 0; i < plan.size(); ++i) {
            const auto& member = plan.member(i);
            const auto& name = member.node->name.value;
            if (!member.active || !member.node->managed || !known.insert(name).second) continue;
            if (only.empty() || std::find(only.begin(), only.end(), name) != only.end())
                targets.push_back({name, member.node->ssh});
        }
    for (const auto& name : only)
        if (!known.contains(name))
            return Error{Errc::not_found,
                         fmt::format("{} has no node '{}' that is managed and in use",
                                     fleet.paths.nodes, name),
                         {}};
    return targets;
}

void for_each_target(const std::vector<Target>& targets, unsigned parallel, const char* what,
                     const std::function<void(std::size_t index)>& act, bool silent) {
    Progress progress(what, silent);
    std::mutex mutex;
    std::size_t done = 0;
    const Worker worker = [&](std::size_t index) -> Result<void> {
        act(index);
        const std::lock_guard lock(mutex);
        progress.update(++done, targets.size());
        return {};
    };
    const auto threads = static_cast<unsigned>(std::min<std::size_t>(parallel, targets.size()));
    (void)parallel_for(targets.size(), threads, [&] { return worker; });
    progress.finish();
}

std::vector<Reply> call_all(Transport& transport, const std::vector<Target>& targets,
                            const FleetOptions& options, const char* what,
                            const std::function<NodeRequest(std::size_t index)>& make) {
    std::vector<Reply> replies(targets.size());
    for_each_target(targets, options.parallel, what,
                    [&](std::size_t i) { replies[i] = transport.call(targets[i], make(i)); });
    return replies;
}

std::optional<Error> first_error(const Diagnostics& diagnostics) {
    for (const auto& one : diagnostics.all())
        if (one.severity == Severity::error)
            return Error{
                Errc::invalid,
                fmt::format("{}:{}:{}: {}", one.file, one.mark.line, one.mark.column, one.message),
                one.hint};
    return std::nullopt;
}

std::string operator_name() {
    const passwd* user = ::getpwuid(::getuid());
    return fmt::format("{}@{}", user != nullptr ? user->pw_name : std::to_string(::getuid()),
                       host_name());
}

NodeRequest request_for(const std::string& verb) {
    NodeRequest request;
    request.verb = verb;
    request.operator_name = operator_name();
    return request;
}

std::string name_of_key(const wgkit::mesh::Fleet& fleet, const PublicKey& key) {
    for (const auto& network : fleet.lock.networks)
        for (const auto& node : network.nodes)
            if (node.key == key) return node.name;
    return to_string(key);
}

} // namespace wgkit::tool::fleet
