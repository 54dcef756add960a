#include "net/request.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "net/plan_json.hpp"
#include "net/plan_text.hpp"

namespace wgkit::tool::net {

void add_options(Arguments arguments, Request& request) {
    auto& convergence = request.convergence;
    arguments
        .add_option("FILE", request.file,
                    "A file of wg-quick, or an interface: its file in /etc/wireguard")
        .type_name("")
        .required();
    arguments
        .add_option("-i,--interface", convergence.interface,
                    "The interface, if the file is not named after it")
        .type_name("IFACE");
    request.allow_removals = arguments
                                 .add_option("--allow-removals", convergence.allow_removals,
                                             "Remove up to N peers instead of 3 and a fifth of all")
                                 .type_name("N");
    arguments.add_flag("--keep-unmanaged", convergence.keep_unmanaged,
                       "Leave peers alone that the file does not list");
    arguments.add_flag("--set-endpoints", convergence.set_endpoints,
                       "Set endpoints of connected peers, too");
    arguments.add_flag("!--device-only", convergence.host,
                       "Leave addresses, routes, rules and MTU alone");
    arguments.add_flag("--json", request.json, "Print the change as JSON");
    arguments.add_flag("--insecure-permissions", convergence.insecure_permissions,
                       "Read a file that others may read");
}

std::optional<LoadedFile> load(Request& request, const Report& report) {
    request.convergence.has_allow_removals = request.allow_removals->count() != 0;
    return load_interface(request.file, report,
                          {.interface = request.convergence.interface,
                           .strict = true,
                           .allow_open = request.convergence.insecure_permissions});
}

std::optional<Convergence> prepare(LoadedFile target, const Request& request,
                                   const Report& report) {
    auto it = converge(std::move(target), request.convergence);
    if (!it) {
        report.error(it.error());
        return std::nullopt;
    }
    if (!it->host.manager.empty())
        report.warning(it->host.manager, "its addresses and routes are left alone");
    return *std::move(it);
}

bool is_allowed(const Convergence& it, const ConvergenceOptions& options, const Report& report) {
    std::optional<std::size_t> removals;
    if (options.has_allow_removals) removals = options.allow_removals;
    const auto good = guard(it.wanted, it.present, it.change, removals);
    if (!good)
        report.error(fmt::format("{}: {}", it.target.file.path, good.error().message),
                     good.error().hint);
    return good.has_value();
}

void print_change(const Convergence& it, bool json) {
    if (json) {
        print(to_json(it));
        return;
    }
    std::fputs(to_text(it, wants_colour(STDOUT_FILENO)).c_str(), stdout);
}

} // namespace wgkit::tool::net
