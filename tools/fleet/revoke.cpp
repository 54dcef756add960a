// `wgkit fleet revoke`: a node out of the fleet, everywhere, for good.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "commands.hpp"
#include "common/json.hpp"
#include "fleet/common.hpp"
#include "fleet/record.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::tool::fleet {

namespace {

constexpr auto between_tries = std::chrono::seconds(2);

struct RevokeOptions {
    FleetOptions fleet;
    std::string node;
    std::uint32_t wait = 30; ///< Units: seconds
};

bool can_be_called(const wgkit::mesh::Node& node) {
    return std::any_of(node.underlays.begin(), node.underlays.end(),
                       [](const auto& underlay) { return underlay.endpoint.has_value(); });
}

/// How much a node's key opens: what forwards for others first, then what can be called.
std::size_t exposure(const wgkit::mesh::Fleet& fleet, const std::string& name) {
    constexpr std::size_t much = 1'000'000;
    std::size_t sum = 0;
    for (const auto& plan : fleet.plans)
        if (const auto index = plan.find(name)) {
            const auto& member = plan.member(*index);
            sum += plan.peers(*index).size() + (member.forwards ? 10 * much : 0)
                   + (member.routes.empty() ? 0 : 5 * much)
                   + (can_be_called(*member.node) ? much : 0);
        }
    return sum;
}

/// All keys that the fleet knows of a node.
std::vector<PublicKey> keys_of(const wgkit::mesh::Fleet& fleet, const std::string& name) {
    std::vector<PublicKey> keys;
    for (const auto& network : fleet.lock.networks)
        if (const auto* node = network.find(name); node != nullptr && node->key)
            keys.push_back(*node->key);
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes)
            if (node.name.value == name && node.public_key
                && std::find(keys.begin(), keys.end(), node.public_key->value) == keys.end())
                keys.push_back(node.public_key->value);
    return keys;
}

/// Puts a revocation into the record, if it is not there yet.
Result<void> begin(const std::string& name, const wgkit::mesh::Fleet& fleet, Record& record) {
    const auto same = [&](const Revocation& one) { return one.node == name; };
    auto& all = record.revocations;
    if (std::any_of(all.begin(), all.end(), same)) return {};
    Revocation revocation{name, keys_of(fleet, name), {}};
    if (revocation.keys.empty())
        return Error{Errc::not_found, fmt::format("no key of a node '{}' is known", name),
                     "`wgkit fleet status` lists the nodes"};
    auto targets = targets_of(fleet);
    if (!targets) return targets.error();
    std::stable_sort(targets->begin(), targets->end(), [&](const Target& a, const Target& b) {
        return exposure(fleet, a.name) > exposure(fleet, b.name);
    });
    for (const auto& target : *targets)
        if (target.name != name) revocation.pending.push_back(target.name);
    for (const auto& key : revocation.keys)
        if (std::find(record.revoked.begin(), record.revoked.end(), key) == record.revoked.end())
            record.revoked.push_back(key);
    const auto keys = revocation.keys;
    all.push_back(std::move(revocation));
    if (auto saved = record.save(); !saved) return saved;
    std::string list;
    for (const auto& key : keys) list += (list.empty() ? "" : " ") + to_string(key);
    return record.log("revoke", {name}, "begun", "keys " + list);
}

std::vector<std::string> pending_names(const Record& record) {
    std::vector<std::string> names;
    for (const auto& revocation : record.revocations)
        for (const auto& name : revocation.pending)
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return names;
}

/// Tells every node that has not heard of it; who is left stays in the record.
class Round {
  public:
    Round(const wgkit::mesh::Fleet& fleet, Transport& transport, Record& record,
          const FleetOptions& options)
        : transport_(transport), record_(record), options_(options) {
        for (const auto& name : pending_names(record)) {
            auto found = targets_of(fleet, {name});
            if (found && !found->empty())
                targets_.push_back(std::move(found->front()));
            else
                unknown_.push_back(name);
        }
    }

    /// Errors of nodes, by name; empty once all have heard of it.
    Result<std::vector<Error>> run() {
        // Nodes that are not in the inventory any more have nothing to drop.
        for (const auto& name : unknown_) forget(name);
        std::vector<Error> errors;
        std::mutex mutex; // guards the record and `errors`
        Result<void> saved;
        for_each_target(targets_, options_.parallel, "revoking", [&](std::size_t i) {
            auto request = request_for("revoke");
            request.revoked = record_.revoked;
            const auto reply = transport_.call(targets_[i], request);
            const std::lock_guard lock(mutex);
            if (!reply.is_good()) {
                errors.push_back(reply.error);
                return;
            }
            forget(targets_[i].name);
            if (auto now = record_.save(); !now) saved = now;
        });
        if (!saved) return saved.error();
        return errors;
    }

  private:
    void forget(const std::string& name) {
        for (auto& revocation : record_.revocations) std::erase(revocation.pending, name);
    }

    Transport& transport_;
    Record& record_;
    const FleetOptions& options_;
    std::vector<Target> targets_;
    std::vector<std::string> unknown_;
};

/// Takes revoked nodes out of inventory and lock, where their addresses become tombstones.
int clean_inventory(const RevokeOptions& options, const Record& record, const Report& report) {
    for (const auto& revocation : record.revocations) {
        auto fleet = load_fleet(options.fleet.nodes, report);
        if (!fleet) return exit_failed;
        const bool is_there =
            std::any_of(fleet->plans.begin(), fleet->plans.end(),
                        [&](const auto& plan) { return plan.find(revocation.node).has_value(); });
        if (!is_there) continue;
        if (auto removed = remove_node(*fleet, revocation.node, wgkit::mesh::today()); !removed)
            return report.error(removed.error());
    }
    return exit_ok;
}

int run_revoke(const RevokeOptions& options, const Report& report) {
    auto record = Record::lock(options.fleet.nodes);
    if (!record) return report.error(record.error());
    auto fleet = load_fleet(options.fleet.nodes, report);
    if (!fleet) return exit_failed;
    if (!options.node.empty())
        if (auto begun = begin(options.node, *fleet, *record); !begun)
            return report.error(begun.error());
    if (record->revocations.empty()) {
        report.note("no revocation is pending");
        return exit_ok;
    }
    Transport transport{std::chrono::seconds(options.fleet.connect_timeout)};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.wait);
    std::vector<Error> errors;
    int status = exit_ok;
    for (bool first = true;; first = false) {
        auto round = Round(*fleet, transport, *record, options.fleet).run();
        if (!round) return report.error(round.error());
        errors = *std::move(round);
        if (first) status = clean_inventory(options, *record, report);
        if (errors.empty() || std::chrono::steady_clock::now() + between_tries > end) break;
        std::this_thread::sleep_for(between_tries);
    }
    for (const auto& error : errors) report.error(error);
    const auto pending = pending_names(*record);
    std::vector<std::string> names;
    for (const auto& revocation : record->revocations) names.push_back(revocation.node);
    if (status == exit_ok)
        std::erase_if(record->revocations,
                      [](const Revocation& one) { return one.pending.empty(); });
    if (auto saved = record->save(); !saved) return report.error(saved.error());
    const auto logged =
        record->log("revoke", names, pending.empty() ? "done" : "pending",
                    pending.empty() ? "" : fmt::format("not reached: {}", fmt::join(pending, " ")));
    if (!logged) return report.error(logged.error());
    if (options.fleet.json)
        print(Json{{"schema", 1}, {"revoked", names}, {"pending", pending}});
    else if (pending.empty())
        fmt::print("revoked: {}\n", fmt::join(names, ", "));
    else
        fmt::print("revoked: {}, but not yet on {}\n", fmt::join(names, ", "),
                   fmt::join(pending, ", "));
    if (!pending.empty()) {
        report.error(fmt::format("{} nodes have not heard of it", pending.size()),
                     "`wgkit fleet revoke` goes on with them");
        return exit_failed;
    }
    return status;
}

} // namespace

Action setup_revoke(Arguments arguments) {
    auto options = std::make_shared<RevokeOptions>();
    arguments
        .add_option("NODE", options->node,
                    "The node; without one, go on where nodes were not reached")
        .type_name("");
    add_fleet_options(arguments, options->fleet);
    arguments
        .add_option("--wait", options->wait, "Seconds to try again for those that are not reached")
        .type_name("SECONDS")
        .range(0, 86400)
        .shows_default();
    return [options](const Report& report) { return run_revoke(*options, report); };
}

} // namespace wgkit::tool::fleet
