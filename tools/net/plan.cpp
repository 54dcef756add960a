#include "net/plan.hpp"

#include <memory>

#include "net/request.hpp"
#include "net/saved_plan.hpp"

namespace wgkit::tool::net {

namespace {

struct PlanOptions {
    Request request;
    std::string output;
};

int plan_one(const PlanOptions& options, ChangePrinter& printer, const Report& report) {
    const Request& request = options.request;
    auto target = load(request, report);
    if (!target) return exit_failed;
    const auto it = prepare(std::move(*target), request, report);
    if (!it) return exit_failed;
    printer.add(*it);
    for (const auto& text : it->unknown_endpoints) report.warning(text);
    if (!is_allowed(*it, request.convergence, report)) return exit_failed;
    if (!options.output.empty())
        if (save_plan(options.output, *it, request, report) != exit_ok) return exit_failed;
    return it->empty() ? exit_ok : exit_differences;
}

int run_plan(PlanOptions& options, const Report& report) {
    int status = exit_ok;
    ChangePrinter printer(options.request);
    for (const auto& file : files_of(options.request, status, report)) {
        options.request.file = file;
        status = worse(status, plan_one(options, printer, report));
    }
    printer.finish();
    return status;
}

} // namespace

Action setup_plan(Arguments arguments) {
    auto options = std::make_shared<PlanOptions>();
    add_options(arguments, options->request);
    arguments
        .add_option("-o,--output", options->output, "Save the plan, for apply to carry out just it")
        .type_name("PLAN")
        .excludes(*options->request.all_option);
    return [options](const Report& report) { return run_plan(*options, report); };
}

} // namespace wgkit::tool::net
