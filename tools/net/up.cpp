#include "net/up.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "common/secret_output.hpp"
#include "net/interface_file.hpp"
#include "wgkit/files.hpp"
#include "wgkit/rotate.hpp"

namespace wgkit::tool::net {

namespace {

struct UpOptions {
    std::string file;
    bool hooks = true;
    bool take_over = false;
    bool verbose = false;
};

volatile std::sig_atomic_t was_interrupted = 0;

/// From here on the steps end in order: a program that just dies would leave half of them.
void catch_interruptions() {
    struct sigaction action {};
    action.sa_handler = [](int) { was_interrupted = 1; };
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

InterfaceOptions library_options(const UpOptions& options, const Report& report) {
    InterfaceOptions out;
    out.hooks = options.hooks;
    out.take_over = options.take_over;
    if (options.verbose) out.tell = [](const auto& text) { fmt::print(stderr, "[#] {}\n", text); };
    out.warn = [&report](const Error& error) { report.warning(error.message, error.hint); };
    out.is_interrupted = [] { return was_interrupted != 0; };
    return out;
}

void add_file(Arguments arguments, UpOptions& options) {
    arguments
        .add_option("file", options.file,
                    "A path that ends with NAME.conf, or NAME for /etc/wireguard/NAME.conf")
        .type_name("FILE")
        .required();
}

void add_options(Arguments arguments, UpOptions& options) {
    add_file(arguments, options);
    arguments.add_flag("!--no-hooks", options.hooks,
                       "Do not run the file's PreUp, PostUp, PreDown and PostDown");
    arguments.add_flag("--take-over", options.take_over,
                       "Go on although systemd or NetworkManager manages the interface");
    arguments.add_flag("-v,--verbose", options.verbose, "Tell each step, as a command");
}

using Change = Result<void> (*)(const InterfaceFile&, config::Config&, const InterfaceOptions&);

/// A power failure may have cut a rotation off between two files.
void settle_rotation(const std::string& name_or_path, const Report& report) {
    const auto file = find_interface_file(name_or_path);
    if (!file) return; // told by whoever reads it
    const auto settled = rotate::settle_boot_files(*file, {});
    if (!settled)
        report.warning(fmt::format("the rotation of {} that was cut off: {}", file->interface,
                                   settled.error().message),
                       settled.error().hint);
}

Action setup_change(Arguments arguments, Change change) {
    auto options = std::make_shared<UpOptions>();
    add_options(arguments, *options);
    return [options, change](const Report& report) -> int {
        if (change == bring_up) settle_rotation(options->file, report);
        auto loaded = load_interface(options->file, report);
        if (!loaded) return exit_failed;
        catch_interruptions();
        const auto done = change(loaded->file, loaded->config, library_options(*options, report));
        return done ? static_cast<int>(exit_ok) : report.error(done.error());
    };
}

} // namespace

Action setup_up(Arguments arguments) { return setup_change(arguments, bring_up); }
Action setup_down(Arguments arguments) { return setup_change(arguments, bring_down); }

Action setup_save(Arguments arguments) {
    auto options = std::make_shared<UpOptions>();
    add_file(arguments, *options);
    return [options](const Report& report) -> int {
        auto loaded = load_interface(options->file, report);
        if (!loaded) return exit_failed;
        const auto saved = save_interface(loaded->file, loaded->config);
        return saved ? static_cast<int>(exit_ok) : report.error(saved.error());
    };
}

Action setup_strip(Arguments arguments) {
    auto options = std::make_shared<UpOptions>();
    add_file(arguments, *options);
    return [options](const Report& report) -> int {
        const auto file = find_interface_file(options->file);
        if (!file) return report.error(file.error());
        const auto text = files::read(file->path);
        if (!text) return report.error(text.error());
        print(strip_config(*text));
        return exit_ok;
    };
}

} // namespace wgkit::tool::net
