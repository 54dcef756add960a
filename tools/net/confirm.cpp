#include "net/confirm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "common/json.hpp"
#include "net/pending.hpp"
#include "wgkit/confirm.hpp"

namespace wgkit::tool::net {

namespace {

struct ConfirmOptions {
    std::string interface;
    bool list = false;
    bool undo = false;
    bool json = false;
};

/// Seconds that are left, never less than none.
std::int64_t seconds_left(const confirm::Pending& change) {
    const auto left = change.deadline - confirm::now();
    return std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::seconds>(left).count());
}

/// Those that wait: of the interface, or without one all of this network namespace.
Result<std::vector<confirm::Pending>> find_changes(const std::string& interface) {
    auto all = confirm::list();
    if (!all) return all;
    std::erase_if(*all, [&](const confirm::Pending& change) {
        const auto own = interface_of_change(change.name);
        return own.empty() || (!interface.empty() && own != interface);
    });
    return all;
}

void print_list(const std::vector<confirm::Pending>& changes, bool json) {
    Json list = Json::array();
    for (const auto& change : changes) {
        const auto interface = interface_of_change(change.name);
        if (json) {
            list.push_back({{"interface", interface},
                            {"summary", change.summary},
                            {"state", to_string(change.state)},
                            {"secondsLeft", seconds_left(change)},
                            {"watched", change.is_watched},
                            {"bootFiles", change.boot_files},
                            {"problem", change.problem}});
            continue;
        }
        const auto when = change.state == confirm::State::pending
                              ? fmt::format("{} seconds left", seconds_left(change))
                              : std::string(to_string(change.state));
        fmt::print("{}: {}, {}{}\n", interface, change.summary, when,
                   change.is_watched ? "" : ", but nobody watches it: --undo starts a new watcher");
        if (!change.problem.empty()) fmt::print("  {}\n", change.problem);
    }
    if (json) print(Json{{"schema", 1}, {"changes", std::move(list)}});
}

int settle(const confirm::Pending& change, bool undo, const Report& report) {
    const auto interface = interface_of_change(change.name);
    const auto done = undo ? confirm::undo(change.name) : confirm::confirm(change.name);
    if (!done)
        return report.error({done.error().code,
                             fmt::format("{}: {}", interface, done.error().message),
                             done.error().hint});
    fmt::print("{}: {}\n", interface, undo ? "back to what it was" : "confirmed");
    for (const auto& path : undo ? std::vector<std::string>() : done->boot_files)
        fmt::print("{}: {} is the new file\n", interface, path);
    return exit_ok;
}

int run_confirm(const ConfirmOptions& options, const Report& report) {
    const auto changes = find_changes(options.interface);
    if (!changes) return report.error(changes.error());
    if (options.list) {
        print_list(*changes, options.json);
        return exit_ok;
    }
    if (changes->empty()) {
        const auto where = options.interface.empty() ? std::string() : " of " + options.interface;
        report.error(fmt::format("no change{} waits for its confirmation", where));
        return exit_failed;
    }
    int status = exit_ok;
    for (const auto& change : *changes) status |= settle(change, options.undo, report);
    return status;
}

} // namespace

Action setup_confirm(Arguments arguments) {
    auto options = std::make_shared<ConfirmOptions>();
    arguments
        .add_option("IFACE", options->interface, "The interface; by default all whose changes wait")
        .type_name("");
    const auto list = arguments.add_flag("-l,--list", options->list, "List the changes that wait");
    arguments.add_flag("--undo", options->undo, "Have the change undone now").excludes(list);
    arguments.add_flag("--json", options->json, "Print the list as JSON").needs(list);
    return [options](const Report& report) { return run_confirm(*options, report); };
}

} // namespace wgkit::tool::net
