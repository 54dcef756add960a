#include "common/describe.hpp"

#include <CLI/CLI.hpp>

#include <string_view>

#include "util/json_text.hpp"

namespace wgkit::tool {

namespace {

using Json = nlohmann::ordered_json;

// CLI11 puts a validator behind the type: "TEXT:{dot,svg}" (IsMember), "TEXT:{dot->0,svg->1} OR
// {0,1}" (CheckedTransformer), "TEXT:FILE" (ExistingFile), "TEXT:DIR" (ExistingDirectory).

std::string type_of(const CLI::Option& option) {
    const std::string full = option.get_type_name();
    return full.substr(0, full.find(':'));
}

Json choices_of(const std::string& type) {
    Json choices = Json::array();
    const auto open = type.find('{');
    const auto close = type.find('}', open);
    if (open == std::string::npos || close == std::string::npos) return choices;
    for (const auto& choice : CLI::detail::split(type.substr(open + 1, close - open - 1), ','))
        choices.push_back(choice.substr(0, choice.find("->")));
    return choices;
}

/// What a shell should offer for the value.
const char* completes(std::string_view type) {
    const auto says = [type](std::string_view word) { return type.find(word) != type.npos; };
    if (says("{")) return "choices";
    if (says("DIR")) return "folder";
    if (says("FILE") || says("PATH") || says("NODES")) return "file";
    return "";
}

Json describe(const CLI::Option& option) {
    Json names = Json::array();
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) names.push_back("--" + name);
    const bool positional = names.empty();
    if (positional) names.push_back(option.get_name());
    const bool takes = option.get_items_expected_max() > 0;
    // A positional argument is named after what it is: FILE, DIR.
    const std::string type = option.get_type_name() + (positional ? " " + option.get_name() : "");
    return {
        {"names", names},
        {"positional", positional},
        {"help", option.get_description()},
        {"takes", takes ? type_of(option) : ""},
        {"choices", takes ? choices_of(type) : Json::array()},
        {"completes", takes ? completes(type) : ""},
        {"repeats", option.get_items_expected_max() > 1},
    };
}

Json describe(const CLI::App& app) {
    Json options = Json::array();
    for (const CLI::Option* option : app.get_options())
        if (!option->get_group().empty()) options.push_back(describe(*option)); // else hidden
    Json commands = Json::array();
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        if (!command->get_group().empty()) commands.push_back(describe(*command));
    return {{"name", app.get_name()},
            {"aliases", app.get_aliases()},
            {"help", app.get_description()},
            {"options", options},
            {"commands", commands}};
}

} // namespace

std::string describe_json(const CLI::App& app) { return json_text::dump(describe(app), 2) + "\n"; }

} // namespace wgkit::tool
