// Changes that go back by themselves: armed before they are made, kept by `confirm`.
#include "fw/pending.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "fw/commands.hpp"
#include "util/own_program.hpp"
#include "wgkit/confirm.hpp"
#include "wgkit/files.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::AppliedRules;

namespace {

/// One change at a time, whatever its interfaces: they may share the files of ufw.
constexpr const char* change_name = "fw";

std::string old_file(const AppliedRules& rules) { return rules.rules.interface + ".json"; }

int run_confirm(const Report& report) {
    const auto kept = confirm::confirm(change_name);
    if (!kept) {
        if (kept.error().code != Errc::not_found) return report.error(kept.error());
        report.error("no change of rules waits for its confirmation");
        return exit_failed;
    }
    report.note(fmt::format("{}: kept", kept->summary));
    return exit_ok;
}

} // namespace

Result<void> arm(const PendingChange& pending) {
    confirm::Change change;
    change.name = change_name;
    change.timeout = pending.timeout;
    // Files of ufw stay as they are until then, unless ufw itself is enabled for the change.
    change.undo = {own_program("wgkit-fw"), "restore",
                   pending.enables_ufw ? "--disable-ufw" : "--running"};
    std::vector<wgkit::fw::RuleText> rules;
    for (const auto& one : pending.old) {
        change.undo.insert(change.undo.end(),
                           {"--file", confirm::data_path(change_name, old_file(one))});
        change.data.push_back({old_file(one), SecretString(to_text(one))});
    }
    std::string interfaces;
    for (const auto& one : pending.applied) {
        interfaces += (interfaces.empty() ? "" : ", ") + one.rules.interface;
        rules.push_back(one.rules);
        const std::filesystem::path path = wgkit::fw::applied_path(one.rules.interface);
        if (auto made = files::make_folders(path.parent_path().string(), 0755); !made) return made;
        change.boot_files.push_back({path.string(), SecretString(to_text(one)), 0600});
    }
    change.summary = fmt::format("firewall rules of {}", interfaces);
    if (!pending.enables_ufw) {
        const auto contents = wgkit::fw::boot_contents(rules);
        if (!contents) return contents.error();
        for (const auto& [path, content] : *contents)
            change.boot_files.push_back({path, SecretString(content), files::mode_of(path)});
    }
    const auto armed = confirm::arm(change);
    return armed ? Result<void>() : armed.error();
}

Result<void> disarm() { return confirm::disarm(change_name); }

Action setup_confirm(Arguments) { return run_confirm; }

} // namespace wgkit::tool::fw
