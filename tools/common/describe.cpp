#include "common/describe.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace wgkit::tool {

namespace {

using Json = nlohmann::ordered_json;

Json describe(const CLI::App& app) {
    Json options = Json::array();
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_group().empty()) continue; // hidden
        Json names = Json::array();
        for (const auto& name : option->get_snames()) names.push_back("-" + name);
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        const bool positional = names.empty();
        options.push_back({
            {"names", positional ? Json::array({option->get_name()}) : names},
            {"positional", positional},
            {"help", option->get_description()},
            {"takes", option->get_items_expected_max() == 0 ? "" : option->get_type_name()},
            {"repeats", option->get_items_expected_max() > 1},
        });
    }
    Json commands = Json::array();
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        commands.push_back(describe(*command));
    return {{"name", app.get_name()},
            {"help", app.get_description()},
            {"options", options},
            {"commands", commands}};
}

} // namespace

std::string describe_json(const CLI::App& app) { return describe(app).dump(2) + "\n"; }

} // namespace wgkit::tool
