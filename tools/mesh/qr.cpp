#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "commands.hpp"
#include "common/json.hpp"
#include "common/secret_output.hpp"
#include "mesh/qr_library.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::tool::mesh {

namespace {

struct QrOptions {
    std::string node;
    std::string nodes = "nodes.yaml";
    std::string format = "terminal";
    std::string output;
    bool force = false;
    bool json = false;
    wgkit::mesh::NodeConfigOptions config;
};

Result<SecretString> draw(const qr::Functions& qr, const qr::Code& code,
                          const std::string& format) {
    if (format == "png") return qr.to_png(code);
    return format == "svg" ? qr.to_svg(code) : qr.to_terminal(code);
}

int write(const SecretString& image, const QrOptions& options, const Report& report) {
    if (options.output.empty()) {
        print(image);
        return exit_ok;
    }
    const auto written = options.force ? files::replace(options.output, image, 0600)
                                       : files::create(options.output, image, 0600);
    return written ? static_cast<int>(exit_ok) : report.error(written.error());
}

int run_qr(QrOptions& options, const Report& report) {
    if (options.format == "png" && options.output.empty() && ::isatty(STDOUT_FILENO) == 1) {
        report.error("a PNG is not for a terminal", "write it to a file with -o FILE");
        return exit_usage;
    }
    const auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    options.config.compact = true;
    const auto config = wgkit::mesh::node_config(*fleet, options.node, options.config);
    if (!config) return report.error(config.error());
    if (!config->left_out.empty() && !options.json)
        report.note(fmt::format("left out, because apps for phones refuse it: {}",
                                fmt::join(config->left_out, ", ")));
    const auto qr = load_qr_library();
    if (!qr) return report.error(qr.error());
    const auto code = (*qr)->encode(config->text);
    if (!code) {
        report.error(fmt::format("the config of {} has {} bytes; a QR code holds {} at most",
                                 options.node, config->text.size(), qr::max_bytes),
                     "link it with fewer peers, for example as a spoke of a hub, or copy the file "
                     "that `wgkit mesh render` writes");
        return exit_failed;
    }
    const auto image = draw(**qr, *code, options.format);
    if (!image) return report.error(image.error());
    const int status = write(*image, options, report);
    if (options.json && status == exit_ok)
        print({{"schema", 1},
               {"node", options.node},
               {"file", options.output},
               {"format", options.format},
               {"bytes", config->text.size()},
               {"modules", code->side},
               {"correction", std::string(1, code->level)},
               {"left_out", config->left_out}});
    return status;
}

} // namespace

Action qr(Arguments app) {
    auto options = std::make_shared<QrOptions>();
    app.add_option("node", options->node, "Whose config to show").required().type_name("NODE");
    add_nodes_argument(app, options->nodes);
    const std::vector<std::string> formats = {"terminal", "png", "svg"};
    app.add_option("--format", options->format, "What to draw it as")
        .choices(formats)
        .type_name("FORMAT")
        .shows_default();
    auto output =
        app.add_option("-o,--output", options->output, "New file to write, with mode 0600")
            .type_name("FILE");
    app.add_option("--network", options->config.network, "The network, if the node is in several")
        .type_name("NAME");
    app.add_flag("--force", options->force, "Replace the file if it is there");
    app.add_flag("--insecure-permissions", options->config.allow_open_keys,
                 "Accept key files that others may read");
    app.add_flag("--json", options->json, "Tell as JSON what was written").needs(output);
    return [options](const Report& report) { return run_qr(*options, report); };
}

} // namespace wgkit::tool::mesh
