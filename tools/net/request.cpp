#include "net/request.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "net/plan_json.hpp"
#include "net/plan_text.hpp"
#include "net/rendered_node.hpp"

namespace wgkit::tool::net {

void add_options(Arguments arguments, Request& request) {
    auto& convergence = request.convergence;
    arguments
        .add_option("FILE", request.file,
                    "A file of wg-quick, or an interface: its file in /etc/wireguard")
        .type_name("");
    request.all_option =
        arguments
            .add_option("--all", request.all,
                        "All interfaces of a node, from its folder in the output of mesh render")
            .type_name("FOLDER");
    const auto interface = arguments
                               .add_option("-i,--interface", convergence.interface,
                                           "The interface, if the file is not named after it")
                               .type_name("IFACE")
                               .excludes(*request.all_option);
    request.allow_removals = arguments
                                 .add_option("--allow-removals", convergence.allow_removals,
                                             "Remove up to N peers instead of 3 and a fifth of all")
                                 .type_name("N");
    request.options = {interface,
                       *request.allow_removals,
                       *request.all_option,
                       arguments.add_flag("--keep-unmanaged", convergence.keep_unmanaged,
                                          "Leave peers alone that the file does not list"),
                       arguments.add_flag("--set-endpoints", convergence.set_endpoints,
                                          "Set endpoints of connected peers, too"),
                       arguments.add_flag("!--device-only", convergence.host,
                                          "Leave addresses, routes, rules and MTU alone"),
                       arguments.add_flag("--insecure-permissions",
                                          convergence.insecure_permissions,
                                          "Read a file that others may read")};
    arguments.add_flag("--json", request.json, "Print the change as JSON");
}

std::vector<std::string> files_of(Request& request, int& status, const Report& report) {
    request.convergence.has_allow_removals = request.allow_removals->count() != 0;
    if (request.file.empty() == request.all.empty()) {
        report.error("a file is required, or --all with a folder",
                     fmt::format("{} --help shows the options", report.program()));
        status = exit_usage;
        return {};
    }
    if (request.all.empty()) return {request.file};
    auto files = files_of_rendered_node(request.all);
    if (files) return *std::move(files);
    status = report.error(files.error());
    return {};
}

std::optional<LoadedFile> load(const Request& request, const Report& report) {
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

void ChangePrinter::add(const Convergence& it) {
    if (request_.json)
        json_.push_back(to_json(it));
    else
        std::fputs(to_text(it, wants_colour(STDOUT_FILENO)).c_str(), stdout);
}

void ChangePrinter::finish() {
    if (!request_.json || json_.empty()) return;
    if (request_.all.empty())
        print(json_.front());
    else
        print(Json{{"schema", 1}, {"interfaces", std::move(json_)}});
}

int worse(int one, int two) {
    return one == exit_failed || two == exit_failed ? exit_failed : std::max(one, two);
}

} // namespace wgkit::tool::net
