// flush and restore: rules taken away, and loaded again as they were.
#include <fmt/format.h>

#include <memory>

#include "fw/commands.hpp"
#include "fw/lock.hpp"
#include "fw/prepared.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::RuleText;

namespace {

struct FlushOptions {
    std::string interface;
    RuleSource source;
};

int run_flush(const FlushOptions& options, const Report& report) {
    const auto lock = take_lock();
    if (!lock) return report.error(lock.error());
    auto backend = options.source.backend();
    const auto applied = wgkit::fw::read_applied(wgkit::fw::applied_path(options.interface));
    if (!backend && applied && *applied) backend = (*applied)->rules.backend;
    if (!backend) backend = choose_backend(options.source, report);
    if (!backend) return exit_failed;
    auto present = wgkit::fw::read_rules(options.interface, *backend);
    if (!present) return report.error(present.error());
    const bool was_empty = present->empty();
    RuleText nothing = *std::move(present);
    for (auto& part : nothing.parts) part.clear();
    if (!was_empty)
        if (const auto done = wgkit::fw::replace_rules(nothing); !done)
            return report.error(done.error());
    if (const auto done = wgkit::fw::forget_applied(options.interface); !done)
        return report.error(done.error());
    report.note(was_empty
                    ? fmt::format("{} has no rules of {}", to_string(*backend), options.interface)
                    : fmt::format("the rules of {} are removed from {}", options.interface,
                                  to_string(*backend)));
    return exit_ok;
}

struct RestoreOptions {
    std::string interface;
    std::vector<std::string> files;
    bool running = false;
    bool disable_ufw = false;
    bool if_any = false;
};

int run_restore(const RestoreOptions& options, const Report& report) {
    auto files = options.files;
    if (!options.interface.empty()) {
        if (options.interface.find('/') != std::string::npos) {
            report.error("an interface has no slash in its name", "--file names a file");
            return exit_usage;
        }
        files.push_back(wgkit::fw::applied_path(options.interface));
    }
    if (files.empty()) {
        report.error("which rules?", "name an interface");
        return exit_usage;
    }
    const auto lock = take_lock();
    if (!lock) return report.error(lock.error());
    if (options.disable_ufw)
        if (const auto off = wgkit::fw::disable_ufw(); !off) return report.error(off.error());
    for (const auto& file : files) {
        const auto applied = wgkit::fw::read_applied(file);
        if (!applied) return report.error(applied.error());
        if (!*applied && options.if_any) continue;
        if (!*applied) {
            report.error(fmt::format("there is no {}", file),
                         "wgkit fw apply writes it when it loads rules");
            return exit_failed;
        }
        const auto& rules = (*applied)->rules;
        const auto present = wgkit::fw::read_rules(rules.interface, rules.backend);
        const auto wanted = wgkit::fw::listed(rules);
        if (present && wanted && wgkit::fw::compare(*wanted, *present).empty()) continue;
        const auto done = wgkit::fw::replace_rules(
            rules, options.running ? wgkit::fw::Lasting::running : wgkit::fw::Lasting::boot);
        if (!done) return report.error(done.error());
    }
    return exit_ok;
}

} // namespace

Action setup_flush(Arguments arguments) {
    auto options = std::make_shared<FlushOptions>();
    arguments.add_option("interface", options->interface, "The WireGuard interface")
        .required()
        .type_name("IFACE");
    add_backend_options(arguments, options->source);
    return [options](const Report& report) { return run_flush(*options, report); };
}

Action setup_restore(Arguments arguments) {
    auto options = std::make_shared<RestoreOptions>();
    arguments
        .add_option("interface", options->interface,
                    "Load what was applied last for this interface")
        .type_name("IFACE");
    arguments.add_option("--file", options->files, "Load the rules in this file").type_name("FILE");
    arguments.add_flag("--if-any", options->if_any, "Nothing was ever applied: that is no error");
    arguments.add_flag("--running", options->running, "Leave the files of ufw alone");
    arguments.add_flag("--disable-ufw", options->disable_ufw, "Disable ufw first");
    return [options](const Report& report) { return run_restore(*options, report); };
}

} // namespace wgkit::tool::fw
