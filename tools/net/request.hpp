#pragma once

#include <optional>
#include <string>

#include "common/app.hpp"
#include "net/convergence.hpp"

/// What `plan` and `apply` have in common.
namespace wgkit::tool::net {

struct Request {
    std::string file;
    ConvergenceOptions convergence;
    bool json = false;
    std::optional<Option> allow_removals;
};

void add_options(Arguments arguments, Request& request);

/// Reads the file. What is wrong with it is printed, and is nothing then.
std::optional<LoadedFile> load(Request& request, const Report& report);

/// `converge`; a failure is printed, and is nothing then.
std::optional<Convergence> prepare(LoadedFile target, const Request& request, const Report& report);

/// Whether the change may be made; if not, that is printed.
bool is_allowed(const Convergence& it, const ConvergenceOptions& options, const Report& report);

/// The change on standard output, in words or as JSON.
void print_change(const Convergence& it, bool json);

} // namespace wgkit::tool::net
