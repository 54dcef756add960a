#include "net/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "common/json.hpp"
#include "net/interface_file.hpp"
#include "wgkit/resolve.hpp"

namespace wgkit::tool::net {

namespace {

struct ResolveOptions {
    std::vector<std::string> files;
    bool json = false;
};

/// The files of the interfaces that are up.
Result<std::vector<std::string>> files_of_devices() {
    auto names = list_devices();
    if (!names) return names;
    std::erase_if(*names, [](const std::string& name) { return !find_interface_file(name); });
    return names;
}

Json moved_json(const std::string& interface, const MovedEndpoint& moved) {
    return {{"interface", interface},
            {"publicKey", to_string(moved.public_key)},
            {"host", moved.host},
            {"before", moved.before ? Json(to_string(*moved.before)) : Json()},
            {"now", to_string(moved.now)}};
}

int resolve(const ResolveOptions& options, const Report& report) {
    std::vector<std::string> files = options.files;
    if (files.empty()) {
        auto all = files_of_devices();
        if (!all) return report.error(all.error());
        files = *std::move(all);
    }
    int status = exit_ok;
    Json moves = Json::array();
    for (const auto& name : files) {
        const auto loaded = load_interface(name, report);
        if (!loaded) {
            status = exit_failed;
            continue;
        }
        const auto& interface = loaded->file.interface;
        const auto done = resolve_endpoints(interface, loaded->config, std::time(nullptr));
        if (!done) {
            status = report.error(done.error());
            continue;
        }
        for (const auto& failure : done->failures) status = report.error(failure);
        for (const auto& moved : done->moved) {
            moves.push_back(moved_json(interface, moved));
            if (!options.json)
                fmt::print("{} {} {}: {} -> {}\n", interface, to_string(moved.public_key),
                           moved.host, moved.before ? to_string(*moved.before) : "(none)",
                           to_string(moved.now));
        }
    }
    if (options.json) print(Json{{"schema", 1}, {"moved", std::move(moves)}});
    return status;
}

} // namespace

Action setup_resolve(Arguments arguments) {
    auto options = std::make_shared<ResolveOptions>();
    arguments
        .add_option("file", options->files,
                    "Files of interfaces, as for up; by default those of all that are up")
        .type_name("FILE");
    arguments.add_flag("--json", options->json, "Print what has moved as JSON");
    return [options](const Report& report) { return resolve(*options, report); };
}

} // namespace wgkit::tool::net
