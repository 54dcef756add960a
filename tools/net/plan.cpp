#include "net/plan.hpp"

#include <memory>

#include "net/request.hpp"

namespace wgkit::tool::net {

namespace {

int run_plan(Request& request, const Report& report) {
    auto target = load(request, report);
    if (!target) return exit_failed;
    const auto it = prepare(std::move(*target), request, report);
    if (!it) return exit_failed;
    print_change(*it, request.json);
    for (const auto& text : it->unknown_endpoints) report.warning(text);
    if (!is_allowed(*it, request.convergence, report)) return exit_failed;
    return it->empty() ? exit_ok : exit_differences;
}

} // namespace

Action setup_plan(Arguments arguments) {
    auto request = std::make_shared<Request>();
    add_options(arguments, *request);
    return [request](const Report& report) { return run_plan(*request, report); };
}

} // namespace wgkit::tool::net
