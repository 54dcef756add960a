// What a node that forwards for others needs beside its interface: kernel settings, and commands
// of its file (rules of an exit) that are new or gone while the interface runs.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "fleet/node.hpp"
#include "fleet/node_staging.hpp"
#include "util/ascii.hpp"
#include "util/child.hpp"
#include "util/errno_error.hpp"
#include "wgkit/confirm.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::WantedFile;

namespace {

constexpr const char* settings_folder = "/etc/sysctl.d";
constexpr const char* undo_script = "undo";
constexpr auto script_patience = std::chrono::seconds(60);

struct Setting {
    std::string path; ///< in /proc/sys
    std::string name;
    std::string value;

    bool operator==(const Setting&) const = default;
};

/// The settings of a drop-in as of sysctl.d(5). Errors: invalid.
Result<std::vector<Setting>> parse_settings(std::string_view text) {
    std::vector<Setting> settings;
    for (auto line : ascii::split(text, '\n')) {
        line = ascii::trim(line);
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        const auto equals = line.find('=');
        const auto name = ascii::trim(line.substr(0, equals));
        const bool is_good = equals != line.npos && !name.empty()
                             && std::all_of(name.begin(), name.end(), [](char c) {
                                    return ascii::is_alnum(c) || c == '.' || c == '_' || c == '-';
                                });
        if (!is_good) return Error{Errc::invalid, fmt::format("'{}' is no setting", line), {}};
        Setting setting{fmt::format("/proc/sys/{}", name), std::string(name),
                        std::string(ascii::trim(line.substr(equals + 1)))};
        std::replace(setting.path.begin() + 10, setting.path.end(), '.', '/');
        settings.push_back(std::move(setting));
    }
    return settings;
}

std::string present_value(const Setting& setting) {
    const auto text = files::read(setting.path);
    return text ? std::string(ascii::trim(*text)) : std::string();
}

/// The settings in the node's own drop-in; none without one.
Result<std::vector<Setting>> present_settings(const std::string& interface) {
    const auto text = files::read(settings_path(interface));
    if (!text && text.error().code == Errc::not_found) return std::vector<Setting>();
    return text ? parse_settings(*text) : text.error();
}

/// Lines of `all` that are not in `others`, in a shell's words. Settings are ours to make.
std::string shell_lines(const std::vector<std::string>& all, const std::vector<std::string>& others,
                        const std::string& interface, const char* ending) {
    std::string script;
    for (auto line : all) {
        if (std::find(others.begin(), others.end(), line) != others.end()) continue;
        if (line.starts_with("sysctl ") && line.find(settings_folder) != line.npos) continue;
        for (auto at = line.find("%i"); at != line.npos; at = line.find("%i", at))
            line.replace(at, 2, interface);
        script += "( " + line + "\n)" + ending + "\n";
    }
    return script;
}

/// What makes a running interface's host what the file wants, and what undoes that.
struct Scripts {
    std::string make;
    std::string undo;
};

Result<Scripts> scripts_for(const WantedFile& wanted, const StagedFile& staged) {
    const auto& name = wanted.interface;
    const auto settings = parse_settings(wanted.settings);
    if (!settings) return settings.error();
    Scripts scripts;
    for (const auto& one : *settings)
        if (const auto before = present_value(one); before != one.value) {
            scripts.make += fmt::format("echo '{}' >{}\n", one.value, one.path);
            scripts.undo += fmt::format("echo '{}' >{} || :\n", before, one.path);
        }
    const auto text = files::read(file_path(name));
    const auto before = config::parse(text ? *text : SecretString(), file_path(name));
    const auto& was = before.config.interface;
    const auto& is = staged.config().interface;
    scripts.make += shell_lines(was.post_down, is.post_down, name, "")
                    + shell_lines(is.post_up, was.post_up, name, "");
    scripts.undo = shell_lines(is.post_down, was.post_down, name, " || :")
                   + shell_lines(was.post_up, is.post_up, name, " || :") + scripts.undo;
    return scripts;
}

Result<void> run_script(const std::string& script) {
    const auto ran = run_child({"/bin/bash", "-e"}, script, script_patience);
    if (!ran) return ran.error();
    if (ran->status == 0) return {};
    return Error{
        Errc::system, fmt::format("a setting or command failed: {}", ascii::trim(ran->errors)), {}};
}

} // namespace

std::string settings_path(const std::string& interface) {
    return fmt::format("{}/90-wgkit-{}.conf", settings_folder, interface);
}

Result<std::vector<std::string>> host_changes(const WantedFile& wanted) {
    const auto settings = parse_settings(wanted.settings);
    if (!settings) return settings.error();
    const auto present = present_settings(wanted.interface);
    if (!present) return present.error();
    std::vector<std::string> lines;
    for (const auto& one : *settings)
        if (const auto value = present_value(one); value != one.value)
            lines.push_back(fmt::format("~ {}: {} -> {}", one.name, value, one.value));
    if (*settings != *present)
        lines.push_back(fmt::format("{} {}",
                                    settings->empty()  ? '-'
                                    : present->empty() ? '+'
                                                       : '~',
                                    settings_path(wanted.interface)));
    return lines;
}

Result<void> put_settings(const WantedFile& wanted) {
    const auto path = settings_path(wanted.interface);
    if (wanted.settings.empty())
        return ::unlink(path.c_str()) == 0 || errno == ENOENT ? Result<void>() : errno_error(path);
    if (auto made = files::make_folders(settings_folder, 0755); !made) return made;
    return files::replace(path, wanted.settings, 0644);
}

Result<void> change_host(const WantedFile& wanted, const StagedFile& staged,
                         std::chrono::seconds confirm) {
    const auto lines = host_changes(wanted);
    if (!lines) return lines.error();
    const auto scripts = scripts_for(wanted, staged);
    if (!scripts) return scripts.error();
    if (lines->empty() && scripts->make.empty()) return {};
    if (confirm.count() == 0) {
        auto put = put_settings(wanted);
        return put ? run_script(scripts->make) : put;
    }
    if (auto made = files::make_folders(settings_folder, 0755); !made) return made;
    confirm::Change change;
    change.name = host_change(wanted.interface);
    change.summary = fmt::format("what {} needs of its host", wanted.interface);
    change.timeout = confirm;
    change.undo = {"/bin/bash", confirm::data_path(change.name, undo_script)};
    change.data.push_back({undo_script, SecretString(scripts->undo)});
    if (!lines->empty()) // empty: `keep` removes it
        change.boot_files.push_back(
            {settings_path(wanted.interface), SecretString(wanted.settings), 0644});
    if (const auto armed = confirm::arm(change); !armed) return armed.error();
    return run_script(scripts->make);
}

} // namespace wgkit::tool::fleet
