#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/app.hpp"
#include "wgkit/config.hpp"

/// The commands of wgkit-config, one file each; main.cpp has their table.
namespace wgkit::tool::config {

Action check(Arguments app);
Action dump(Arguments app);
Action format(Arguments app);

/// What every command takes.
struct Inputs {
    std::vector<std::string> files;
    std::string dialect = "wg-quick";
};
void add_inputs(Arguments app, Inputs& inputs);

/// A file, what it says and what is wrong with it.
struct File {
    std::string path;
    SecretString text;
    wgkit::config::Config config;
    Diagnostics diagnostics;

    bool good() const { return diagnostics.errors() == 0; }
    /// Only the errors: what stops a command that is not about findings.
    Diagnostics errors() const;
};

/// Reads and parses a file; "-" is standard input. A failure to read is printed.
std::optional<File> load(const std::string& path, const Inputs& inputs, const Report& report);

/// What is printed in place of a secret.
inline constexpr std::string_view hidden = "(hidden)";

/// A text in which every word that may be a key reads "(hidden)", but for the values of PublicKey.
SecretString hide_keys(const SecretString& canonical);
/// The same for a single comment or command.
std::string hide_keys_in(const std::string& text);

} // namespace wgkit::tool::config
