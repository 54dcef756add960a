#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh_import.hpp"

namespace wgkit::tool::mesh {

using wgkit::mesh::Imported;
using wgkit::mesh::ImportFile;

namespace {

struct ImportOptions {
    std::string path;
    std::string output;
    wgkit::mesh::ImportOptions import;
    bool force = false;
    bool json = false;
};

/// All .conf files below a folder, in the order of their names.
Result<std::vector<ImportFile>> read_folder(const std::string& folder) {
    namespace fs = std::filesystem;
    std::vector<std::string> paths;
    std::error_code failure;
    fs::recursive_directory_iterator walk(folder, failure);
    for (; !failure && walk != fs::recursive_directory_iterator(); walk.increment(failure)) {
        const auto path = walk->path().lexically_relative(folder).string();
        // sysctl drop-ins end in .conf, too.
        if (path.ends_with(".conf") && path.find("/sysctl.d/") == path.npos) paths.push_back(path);
    }
    if (failure)
        return Error{
            Errc::system, fmt::format("cannot read {}: {}", folder, failure.message()), {}};
    std::sort(paths.begin(), paths.end());
    std::vector<ImportFile> files;
    for (const auto& path : paths) {
        auto text = files::read(folder + "/" + path);
        if (!text) return std::move(text).error();
        files.push_back({path, std::move(*text)});
    }
    return files;
}

Result<Imported> import_path(const ImportOptions& options) {
    if (std::filesystem::is_directory(options.path)) {
        const auto files = read_folder(options.path);
        if (!files) return files.error();
        return import_wg_quick(*files, options.import);
    }
    const auto text = files::read(options.path);
    if (!text) return text.error();
    const auto first = text->find_first_not_of(" \t\r\n");
    if (first != text->npos && (*text)[first] == '{')
        return import_headscale(*text, options.path, options.import);
    return import_meshconf(*text, options.path, options.import);
}

int run_import(ImportOptions& options, const Report& report) {
    options.import.today = wgkit::mesh::today();
    const auto imported = import_path(options);
    if (!imported) return report.error(imported.error());
    for (const auto& one : imported->diagnostics.all()) {
        const std::string where =
            one.file.empty() || one.mark.line == 0
                ? ""
                : fmt::format("{}:{}:{}: ", one.file, one.mark.line, one.mark.column);
        report.warning(where + one.message, one.hint);
    }
    std::size_t pairs = 0;
    for (const auto& one : imported->pairs) pairs += one.count;
    if (options.output.empty()) {
        if (!imported->keys.empty() || pairs != 0)
            report.note(fmt::format("{} private and {} preshared keys are kept only with -o FILE",
                                    imported->keys.size(), pairs));
        if (options.json)
            print({{"schema", 1},
                   {"nodes_yaml", imported->nodes},
                   {"nodes", imported->node_count},
                   {"diagnostics", tool::to_json(imported->diagnostics)}});
        else
            std::fputs(imported->nodes.c_str(), stdout);
        return exit_ok;
    }
    const auto paths = wgkit::mesh::Paths::beside(options.output);
    const auto written = write_import(*imported, paths, options.force);
    if (!written) return report.error(written.error());
    if (options.json)
        print({{"schema", 1},
               {"file", paths.nodes},
               {"lock", paths.lock},
               {"nodes", imported->node_count},
               {"private_keys", imported->keys.size()},
               {"preshared_keys", pairs},
               {"diagnostics", tool::to_json(imported->diagnostics)}});
    else
        fmt::print("{}: {} nodes, {} private keys, {} preshared keys\n", paths.nodes,
                   imported->node_count, imported->keys.size(), pairs);
    return exit_ok;
}

} // namespace

Action import(Arguments app) {
    auto options = std::make_shared<ImportOptions>();
    app.add_option("path", options->path,
                   "A folder of wg-quick files, a CSV of wg-meshconf or a node list of Headscale")
        .required()
        .type_name("PATH");
    app.add_option("-o,--output", options->output,
                   "Inventory to write, with its lock and keys beside it; else it is printed")
        .type_name("FILE");
    app.add_option("--network", options->import.network,
                   "Name of the network where the input has none")
        .type_name("NAME")
        .shows_default();
    app.add_flag("--force", options->force, "Replace the inventory and its lock");
    app.add_flag("--json", options->json, "Print what was imported as JSON");
    return [options](const Report& report) { return run_import(*options, report); };
}

} // namespace wgkit::tool::mesh
