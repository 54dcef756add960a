// plan and apply: what would change, and the change.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "fw/commands.hpp"
#include "fw/lock.hpp"
#include "fw/pending.hpp"
#include "fw/prepared.hpp"
#include "util/rfc3339.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::AppliedRules;
using wgkit::fw::Backend;

namespace {

struct ApplyOptions {
    RuleSource source;
    bool json = false;
    bool force = false;
    bool allow_nothing = false;
    std::uint32_t confirm = 0;
};

struct Change {
    LoadedRules loaded;
    Backend backend = Backend::nftables;
    std::vector<Prepared> interfaces;
    std::vector<wgkit::fw::OtherManager> others;
    bool enables_ufw = false;
    std::string cut; ///< why the SSH connection in use would not survive; empty: it would

    bool empty() const {
        for (const auto& one : interfaces)
            if (!one.differences.empty()) return false;
        return !enables_ufw;
    }
};

/// Why the SSH connection in use would be cut, if so.
Result<std::string> cut_by(const Change& change) {
    const auto connection = wgkit::fw::ssh_connection();
    if (!connection) return std::string();
    for (const auto& ruleset : change.loaded.rulesets)
        if (auto why = wgkit::fw::refuses(ruleset, *connection)) return *why;
    for (const auto& ruleset : change.loaded.rulesets)
        if (accepts(ruleset, *connection)) return std::string();
    if (!change.enables_ufw) return std::string();
    auto why = wgkit::fw::ufw_refuses(*connection);
    if (!why) return why.error();
    return why->value_or("");
}

/// Nothing empty is loaded by accident. Errors: printed.
bool says_rules(const ApplyOptions& options, const Report& report) {
    if (options.source.is_given() || options.allow_nothing) return true;
    report.error("no rules are asked for",
                 "--node NODE, or what is let through: --allow PORTS, --allow-nothing");
    return false;
}

std::unique_ptr<Change> make_change(const ApplyOptions& options, const Report& report) {
    auto loaded = load_rules(options.source, report);
    if (!loaded) return nullptr;
    auto change = std::make_unique<Change>();
    change->loaded = *std::move(loaded);
    const auto backend = choose_backend(options.source, report);
    if (!backend) return nullptr;
    change->backend = *backend;
    auto interfaces = prepare_all(change->loaded, *backend, report);
    if (!interfaces) return nullptr;
    change->interfaces = *std::move(interfaces);
    if (*backend == Backend::ufw) {
        const auto active = wgkit::fw::ufw_is_active();
        if (!active) {
            report.error(active.error());
            return nullptr;
        }
        change->enables_ufw = !*active;
    }
    auto others = wgkit::fw::other_managers(*backend);
    auto cut = cut_by(*change);
    if (!others || !cut) {
        report.error(!others ? others.error() : cut.error());
        return nullptr;
    }
    change->others = *std::move(others);
    change->cut = *std::move(cut);
    return change;
}

void print_all(const Change& change, bool json) {
    if (!json) {
        for (const auto& one : change.interfaces) print_change(one);
        if (change.enables_ufw) fmt::print("ufw will be enabled\n");
        return;
    }
    Json interfaces = Json::array();
    for (const auto& one : change.interfaces) interfaces.push_back(change_json(one));
    tool::print({{"schema", 1},
                 {"interfaces", interfaces},
                 {"enables_ufw", change.enables_ufw},
                 {"cuts_ssh", change.cut.empty() ? Json() : Json(change.cut)},
                 {"other_managers", to_json(change.others)}});
}

/// Both would filter, and only one would be kept up to date.
void warn_of_earlier(const Change& change, const Report& report) {
    for (const auto& one : change.interfaces) {
        const auto& name = one.rules.interface;
        const auto applied = wgkit::fw::read_applied(wgkit::fw::applied_path(name));
        if (applied && *applied && (*applied)->rules.backend != change.backend)
            report.warning(fmt::format("the rules of {} were last loaded into {}", name,
                                       to_string((*applied)->rules.backend)),
                           fmt::format("take them away there: wgkit fw flush {}", name));
    }
}

int run_plan(const ApplyOptions& options, const Report& report) {
    if (!says_rules(options, report)) return exit_failed;
    const auto change = make_change(options, report);
    if (!change) return exit_failed;
    print_all(*change, options.json);
    warn_of_others(change->others, report);
    warn_of_earlier(*change, report);
    if (!change->cut.empty()) report.warning(change->cut, "apply would refuse it");
    return change->empty() ? exit_ok : exit_differences;
}

/// All interfaces, or none.
Result<void> load_all(const Change& change, wgkit::fw::Lasting lasting) {
    std::vector<const Prepared*> done;
    for (const auto& one : change.interfaces) {
        auto loaded = wgkit::fw::replace_rules(one.rules, lasting);
        if (loaded) {
            done.push_back(&one);
            continue;
        }
        for (auto old = done.rbegin(); old != done.rend(); ++old)
            if (const auto back = wgkit::fw::replace_rules((*old)->present, lasting); !back)
                loaded.error().message += "; and " + back.error().message;
        return loaded;
    }
    return {};
}

int carry_out(const Change& change, const ApplyOptions& options, const Report& report) {
    std::vector<AppliedRules> applied;
    std::vector<AppliedRules> old;
    for (const auto& one : change.interfaces) {
        applied.push_back({one.rules, wgkit::fw::hash_of(one.wanted), rfc3339_now()});
        old.push_back({one.present, wgkit::fw::hash_of(one.present), rfc3339_now()});
    }
    const bool waits = options.confirm != 0;
    // ufw can only be enabled with its files in place.
    const auto lasting =
        waits && !change.enables_ufw ? wgkit::fw::Lasting::running : wgkit::fw::Lasting::boot;
    if (waits)
        if (const auto armed =
                arm({applied, old, change.enables_ufw, std::chrono::seconds(options.confirm)});
            !armed)
            return report.error(armed.error());
    if (const auto loaded = load_all(change, lasting); !loaded) {
        if (waits)
            if (const auto disarmed = disarm(); !disarmed) report.error(disarmed.error());
        return report.error(loaded.error());
    }
    if (!waits)
        for (const auto& one : applied)
            if (const auto written = wgkit::fw::write_applied(one); !written)
                return report.error(written.error());
    report.note(fmt::format("the rules are loaded ({})", to_string(change.backend)));
    const auto cut = wgkit::fw::cut_flows(change.loaded.rulesets);
    if (!cut) return report.error(cut.error());
    if (*cut != 0) report.note(fmt::format("{} flows that they do not allow were cut", *cut));
    if (waits)
        report.note(fmt::format("the old ones come back in {} seconds, unless somebody who logs in "
                                "from now on runs: wgkit fw confirm",
                                options.confirm));
    return exit_ok;
}

int run_apply(const ApplyOptions& options, const Report& report) {
    if (!says_rules(options, report)) return exit_failed;
    const auto lock = take_lock();
    if (!lock) return report.error(lock.error());
    const auto change = make_change(options, report);
    if (!change) return exit_failed;
    print_all(*change, options.json);
    warn_of_others(change->others, report);
    warn_of_earlier(*change, report);
    if (!change->cut.empty() && !options.force) {
        report.error(change->cut, "allow it, or give --force if there is another way in");
        return exit_failed;
    }
    if (!change->empty()) return carry_out(*change, options, report);
    report.note("nothing to change");
    return exit_ok;
}

void add_apply_options(Arguments arguments, ApplyOptions& options) {
    add_source_options(arguments, options.source);
    arguments.add_flag("--allow-nothing", options.allow_nothing,
                       "Rules that let nothing through the tunnel are meant");
    arguments.add_flag("--json", options.json, "Print the change as JSON");
}

} // namespace

Action setup_plan(Arguments arguments) {
    arguments.alias("diff");
    auto options = std::make_shared<ApplyOptions>();
    add_apply_options(arguments, *options);
    return [options](const Report& report) { return run_plan(*options, report); };
}

Action setup_apply(Arguments arguments) {
    auto options = std::make_shared<ApplyOptions>();
    add_apply_options(arguments, *options);
    arguments.add_flag("--force", options->force,
                       "Even if that cuts the SSH connection that it is run from");
    arguments
        .add_option("--confirm", options->confirm,
                    "Go back after so many seconds, unless `confirm` is run by then")
        .type_name("SECONDS")
        .range(5, 86400);
    return [options](const Report& report) { return run_apply(*options, report); };
}

} // namespace wgkit::tool::fw
