#include "net/show.hpp"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

#include "common/secret_output.hpp"
#include "net/device_json.hpp"
#include "net/device_text.hpp"
#include "net/fields.hpp"
#include "wgkit/device.hpp"

namespace wgkit::tool::net {

namespace {

struct ShowOptions {
    std::string interface = "all";
    std::string field;
    bool json = false;
    bool show_secrets = false;
};

int show_interfaces(const ShowOptions& options, const Report& report) {
    if (!options.field.empty()) {
        report.error("interfaces has no fields", "wgkit-net show --help shows the options");
        return exit_usage;
    }
    const auto names = list_devices();
    if (!names) return report.error(names.error());
    SecretString text;
    if (options.json) {
        text = names_json(*names);
    } else {
        for (const auto& name : *names) text.append(text.empty() ? "" : " ").append(name);
        if (!text.empty()) text += '\n';
    }
    print(text);
    return exit_ok;
}

SecretString devices_text(const std::vector<Device>& devices, const ShowOptions& options,
                          bool all) {
    if (options.json) return net::to_json(devices, options.show_secrets);
    SecretString text;
    const TextStyle style{std::time(nullptr), options.show_secrets, wants_colour(STDOUT_FILENO)};
    for (const auto& device : devices) {
        if (!options.field.empty()) {
            add_field(text, device, options.field, all);
            continue;
        }
        if (!text.empty()) text += '\n';
        add_text(text, device, style);
    }
    return text;
}

int show(const ShowOptions& options, const Report& report) {
    if (options.json && !options.field.empty()) {
        report.error("--json and a field exclude each other",
                     "wgkit-net show --help shows the options");
        return exit_usage;
    }
    if (options.interface == "interfaces") return show_interfaces(options, report);
    const bool all = options.interface == "all";
    std::vector<std::string> names{options.interface};
    if (all) {
        auto listed = list_devices();
        if (!listed) return report.error(listed.error());
        names = *std::move(listed);
    }
    int status = exit_ok;
    std::vector<Device> devices;
    for (const auto& name : names) {
        auto device = read_device(name);
        if (device)
            devices.push_back(*std::move(device));
        else
            status = report.error(device.error()); // the others can be shown
    }
    if (all || status == exit_ok) print(devices_text(devices, options, all));
    return status;
}

} // namespace

Action setup_show(Arguments arguments) {
    auto options = std::make_shared<ShowOptions>();
    arguments
        .add_option("IFACE", options->interface,
                    "A device, \"all\" (the default), or \"interfaces\" for just the names")
        .type_name("");
    arguments.add_option("FIELD", options->field, "Print one field, or all by dump, as wg does")
        .choices(field_names());
    arguments.add_flag("--json", options->json, "Print the devices as JSON");
    arguments.add_flag("--show-secrets", options->show_secrets,
                       "Show private and preshared keys instead of (hidden)");
    return [options](const Report& report) { return show(*options, report); };
}

} // namespace wgkit::tool::net
