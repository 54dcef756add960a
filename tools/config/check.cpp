#include <fmt/format.h>
#include <sys/stat.h>

#include "common/json.hpp"
#include "file.hpp"

namespace wgkit::tool::config {

namespace {

struct CheckOptions {
    Inputs inputs;
    bool strict = false;
    bool json = false;
};

/// As wg-quick warns, but only where there is something to protect.
void check_mode(File& file) {
    const auto& peers = file.config.peers;
    const bool secret = file.config.interface.private_key
                        || std::any_of(peers.begin(), peers.end(), [](const auto& peer) {
                               return peer.preshared_key.has_value();
                           });
    struct stat info {};
    if (!secret || file.path == "-" || ::stat(file.path.c_str(), &info) != 0
        || (info.st_mode & S_IRWXO) == 0)
        return;
    file.diagnostics
        .warning("open-file", {},
                 fmt::format("file holds secrets, but its mode {:04o} lets everybody access it",
                             info.st_mode & 07777U))
        .hint = fmt::format("chmod 600 {}", file.path);
}

int run_check(const CheckOptions& options, const Report& report) {
    Diagnostics all;
    bool unread = false;
    for (const auto& path : options.inputs.files) {
        auto file = load(path, options.inputs, report);
        if (!file) {
            unread = true;
            continue;
        }
        check_mode(*file);
        all.append(file->diagnostics);
        if (!options.json) report.findings(file->diagnostics, file->text);
    }
    if (options.json) print({{"schema", 1}, {"diagnostics", to_json(all)}});
    const int status = report.conclude(all, options.strict, options.json);
    return unread ? static_cast<int>(exit_failed) : status;
}

} // namespace

Action check(Arguments app) {
    auto options = std::make_shared<CheckOptions>();
    add_inputs(app, options->inputs);
    app.add_flag("--strict", options->strict, "Exit with 2 if there are warnings");
    app.add_flag("--json", options->json, "Print the findings as JSON");
    return [options](const Report& report) { return run_check(*options, report); };
}

} // namespace wgkit::tool::config
