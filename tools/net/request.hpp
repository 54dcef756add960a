#pragma once

#include <optional>
#include <string>

#include "common/app.hpp"
#include "common/json.hpp"
#include "net/convergence.hpp"

/// What `plan` and `apply` have in common.
namespace wgkit::tool::net {

struct Request {
    std::string file;
    std::string all; ///< the folder of a rendered node, instead of a file
    ConvergenceOptions convergence;
    bool json = false;
    std::vector<Option> options; ///< what a saved plan has decided
    std::optional<Option> allow_removals;
    std::optional<Option> all_option;
};

void add_options(Arguments arguments, Request& request);

/// The files that it is about: the one that is named, or those of the node. What is wrong is
/// printed, and `status` set.
std::vector<std::string> files_of(Request& request, int& status, const Report& report);

/// Reads `request.file`. What is wrong with it is printed, and is nothing then.
std::optional<LoadedFile> load(const Request& request, const Report& report);

/// `converge`; a failure is printed, and is nothing then.
std::optional<Convergence> prepare(LoadedFile target, const Request& request, const Report& report);

/// Whether the change may be made; if not, that is printed.
bool is_allowed(const Convergence& it, const ConvergenceOptions& options, const Report& report);

/// Prints changes to standard output: in words, each at once, or as JSON at the end.
class ChangePrinter {
  public:
    explicit ChangePrinter(const Request& request) : request_(request) {}
    void add(const Convergence& it);
    void finish();

  private:
    const Request& request_;
    Json json_ = Json::array();
};

/// The exit status of two: a failure before differences before success.
int worse(int one, int two);

} // namespace wgkit::tool::net
