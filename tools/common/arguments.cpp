#include "common/arguments.hpp"

#include <CLI/CLI.hpp>

namespace wgkit::tool {

Option Option::type_name(const std::string& name) const {
    option_->type_name(name);
    return *this;
}

Option Option::required() const {
    option_->required();
    return *this;
}

Option Option::shows_default() const {
    option_->capture_default_str();
    return *this;
}

Option Option::choices(std::vector<std::string> values) const {
    option_->check(CLI::IsMember(std::move(values)));
    return *this;
}

Option Option::range(std::uint32_t least, std::uint32_t most) const {
    option_->check(CLI::Range(least, most));
    return *this;
}

Option Option::needs(Option other) const {
    option_->needs(other.option_);
    return *this;
}

Option Option::excludes(Option other) const {
    option_->excludes(other.option_);
    return *this;
}

std::size_t Option::count() const { return option_->count(); }

std::string Option::name() const { return option_->get_name(); }

Option Arguments::add_option(const std::string& name, std::string& value,
                             const std::string& help) const {
    return Option(*app_->add_option(name, value, help));
}

Option Arguments::add_option(const std::string& name, std::vector<std::string>& values,
                             const std::string& help) const {
    CLI::Option* option = app_->add_option(name, values, help);
    // One value each time: "--label a=b text" must not take the text, too.
    if (name.starts_with('-')) option->allow_extra_args(false);
    return Option(*option);
}

Option Arguments::add_option(const std::string& name, std::uint32_t& value,
                             const std::string& help) const {
    return Option(*app_->add_option(name, value, help));
}

Option Arguments::add_flag(const std::string& name, bool& value, const std::string& help) const {
    return Option(*app_->add_flag(name, value, help));
}

void Arguments::alias(const std::string& name) const { app_->alias(name); }

std::string Arguments::command() const { return app_->get_name(); }

std::vector<Option> Arguments::options_of_program() const {
    std::vector<Option> all;
    for (CLI::Option* option : app_->get_parent()->get_options()) all.emplace_back(*option);
    return all;
}

} // namespace wgkit::tool
