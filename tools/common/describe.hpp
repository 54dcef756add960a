#pragma once

#include <string>

namespace CLI {
class App;
}

namespace wgkit::tool {

/// A program's commands, options and arguments as JSON:
/// {"name", "help", "options": [{"names", "help", "takes", "choices"}], "commands": [...]}.
std::string describe_json(const CLI::App& app);

} // namespace wgkit::tool
