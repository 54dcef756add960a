#pragma once

#include <string>

namespace CLI {
class App;
}

namespace wgkit::tool {

/// A program's commands, options and arguments as JSON, for scripts/completions and tests/docs:
/// {"name", "aliases", "help", "options": [...], "commands": [the same again, ...]}; an option is
/// {"names", "positional", "help", "takes", "choices", "completes", "repeats"}. "takes" names its
/// value, empty for a flag; "completes" is "choices", "file", "folder" or empty. Name a value or an
/// argument FILE, DIR, PATH or NODES (`.type_name("FILE")`) and shells complete it.
std::string describe_json(const CLI::App& app);

} // namespace wgkit::tool
