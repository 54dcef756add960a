#include "net/apply.hpp"

#include <fmt/format.h>

#include <memory>

#include "net/pending.hpp"
#include "net/request.hpp"
#include "net/saved_plan.hpp"
#include "wgkit/files.hpp"
#include "wgkit/rotate.hpp"

namespace wgkit::tool::net {

namespace {

constexpr std::uint32_t longest_wait = 86400; ///< Units: seconds

struct ApplyOptions {
    Request request;
    std::uint32_t confirm = 0; ///< Units: seconds; 0: takes effect for good at once
    bool save = false;
};

std::string boot_path(const std::string& interface) {
    return fmt::format("/etc/wireguard/{}.conf", interface);
}

/// The file that is read at boot, whatever it is called here.
bool is_boot_file(const InterfaceFile& file) {
    const auto boot = find_interface_file(file.interface);
    return boot && boot->path == file.path;
}

int save_boot_file(const LoadedFile& target, const Report& report) {
    if (is_boot_file(target.file)) return exit_ok;
    const auto path = boot_path(target.file.interface);
    const auto saved = files::replace(path, target.text, 0600);
    return saved ? static_cast<int>(exit_ok) : report.error(saved.error());
}

int refuse_boot_file(const InterfaceFile& file, const Report& report) {
    report.error(fmt::format("{} takes effect at boot, confirmed or not", file.path),
                 "write what is new to another file, and have it put there by --save");
    return exit_failed;
}

Error rotation_first(const std::string& interface) {
    return {
        Errc::conflict, fmt::format("a rotation of {}'s keys is under way", interface),
        fmt::format("`wgkit net rotate run {0}` ends it, `wgkit net rotate abort {0}` gives it up",
                    interface)};
}

int apply_one(const ApplyOptions& options, const std::optional<SavedPlan>& plan,
              ChangePrinter& printer, const Report& report) {
    const Request& request = options.request;
    auto target = load(request, report);
    if (!target) return exit_failed;
    const InterfaceFile file = target->file;
    if (options.confirm != 0 && is_boot_file(file)) return refuse_boot_file(file, report);
    // Refuses what is no name before it becomes a part of a path.
    if (const auto device = open_device(file.interface); !device)
        return report.error(device.error());
    auto lock = InterfaceLock::take(file.interface);
    if (!lock) return report.error(lock.error());
    if (auto free = check_nothing_pending(file.interface); !free) return report.error(free.error());
    if (const auto rotates = rotate::is_under_way(file.interface, {}); !rotates || *rotates)
        return report.error(rotates ? rotation_first(file.interface) : rotates.error());
    auto it = prepare(std::move(*target), request, report);
    if (!it) return exit_failed;
    printer.add(*it);
    if (!is_allowed(*it, request.convergence, report)) return exit_failed;
    if (plan)
        if (auto holds = check_plan(*plan, *it); !holds) return report.error(holds.error());
    const bool waits = options.confirm != 0 && (!it->empty() || options.save);
    if (waits) {
        const auto path = options.save ? boot_path(file.interface) : std::string();
        if (auto armed = arm_rollback(*it, std::chrono::seconds(options.confirm), path); !armed)
            return report.error(armed.error());
    }
    const int status = carry_out(*it, *lock, report);
    if (waits)
        report.note(fmt::format("{0} goes back to what it was in {1} seconds unless you run "
                                "`wgkit net confirm {0}` in a new connection",
                                file.interface, options.confirm));
    else if (options.save && status == exit_ok)
        return save_boot_file(it->target, report);
    return status;
}

/// A plan has decided what else can be asked for.
int refuse_options(const Request& request, const Report& report) {
    for (const auto& option : request.options)
        if (option.count() != 0) {
            report.error(fmt::format("{} is part of a plan", option.name()),
                         "give it to `wgkit net plan`");
            return exit_usage;
        }
    return exit_ok;
}

int run_apply(ApplyOptions& options, const Report& report) {
    Request& request = options.request;
    auto plan = read_plan(request.file);
    if (!plan) return report.error(plan.error());
    int status = *plan ? refuse_options(request, report) : static_cast<int>(exit_ok);
    if (status != exit_ok) return status;
    ChangePrinter printer(request);
    for (const auto& file : files_of(request, status, report)) {
        request.file = file;
        if (*plan)
            if (auto good = restore_request(**plan, request); !good)
                return report.error(good.error());
        status = worse(status, apply_one(options, *plan, printer, report));
    }
    printer.finish();
    return status;
}

} // namespace

Action setup_apply(Arguments arguments) {
    auto options = std::make_shared<ApplyOptions>();
    add_options(arguments, options->request);
    arguments
        .add_option("--confirm", options->confirm,
                    "Go back after so many seconds unless the change is confirmed")
        .type_name("SECONDS")
        .range(1, longest_wait);
    arguments.add_flag("--save", options->save,
                       "Make the file the one in /etc/wireguard, once it is confirmed");
    return [options](const Report& report) { return run_apply(*options, report); };
}

} // namespace wgkit::tool::net
