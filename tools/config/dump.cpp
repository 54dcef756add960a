#include "common/secret_output.hpp"
#include "file.hpp"
#include "json.hpp"

namespace wgkit::tool::config {

namespace {

struct DumpOptions {
    Inputs inputs;
    bool json = false;
    bool show_secrets = false;
};

int run_dump(const DumpOptions& options, const Report& report) {
    std::vector<File> files;
    bool good = true;
    for (const auto& path : options.inputs.files) {
        auto file = load(path, options.inputs, report);
        if (file && !file->good()) report.findings(file->errors(), file->text);
        good = good && file && file->good();
        if (good) files.push_back(std::move(*file));
    }
    if (!good) return exit_failed;
    if (options.json) {
        print(to_json(files, options.show_secrets));
        return exit_ok;
    }
    for (const auto& file : files) {
        const auto text = wgkit::config::write(file.config);
        if (&file != &files.front()) print(SecretString("\n"));
        print(options.show_secrets ? text : hide_keys(text));
    }
    return exit_ok;
}

} // namespace

Action dump(Arguments app) {
    auto options = std::make_shared<DumpOptions>();
    add_inputs(app, options->inputs);
    app.add_flag("--json", options->json, "Print what the files say as JSON");
    app.add_flag("--show-secrets", options->show_secrets,
                 "Print private and preshared keys instead of (hidden)");
    return [options](const Report& report) { return run_dump(*options, report); };
}

} // namespace wgkit::tool::config
