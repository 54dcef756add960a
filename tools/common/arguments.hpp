#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

/// What a command line may hold. CLI11 stays behind it: a header of its size in every file of every
/// program took more than half of the project's build time.
namespace wgkit::tool {

/// An option, flag or positional argument that was added. A handle: copies mean the same one.
class Option {
  public:
    explicit Option(CLI::Option& option) : option_(&option) {}

    /// How help and completions call its value; see describe.hpp.
    Option type_name(const std::string& name) const;
    Option required() const;
    /// Help shows the value that the variable has now.
    Option shows_default() const;
    Option choices(std::vector<std::string> values) const;
    Option range(std::uint32_t least, std::uint32_t most) const;
    Option needs(Option other) const;
    Option excludes(Option other) const;

    /// How often it was given.
    std::size_t count() const;
    std::string name() const;

  private:
    CLI::Option* option_;
};

/// Where a command adds its options; the variables must live until it has run. A handle, too.
class Arguments {
  public:
    explicit Arguments(CLI::App& app) : app_(&app) {}

    /// `name`: "-o,--output", or "file" for a positional argument.
    Option add_option(const std::string& name, std::string& value, const std::string& help) const;
    Option add_option(const std::string& name, std::vector<std::string>& values,
                      const std::string& help) const;
    Option add_option(const std::string& name, std::uint32_t& value, const std::string& help) const;
    /// "!--no-offload" clears the variable, other names set it.
    Option add_flag(const std::string& name, bool& value, const std::string& help) const;

    /// Another name for the command.
    void alias(const std::string& name) const;
    std::string command() const;
    /// The options of the program that the command belongs to.
    std::vector<Option> options_of_program() const;

  private:
    CLI::App* app_;
};

} // namespace wgkit::tool
