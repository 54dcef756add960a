#include "fw/firewalld_running.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "device/command.hpp"
#include "fw/firewalld.hpp"
#include "fw/running.hpp"
#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/temporary_folder.hpp"
#include "wgkit/files.hpp"

namespace wgkit::fw {

namespace {

namespace fs = std::filesystem;

constexpr const char* firewalld_folder = "/etc/firewalld";

/// Blocks of `--list-all-zones` and `--list-all-policies` whose first line is a name of ours,
/// without what only the running one says.
std::string own_blocks(std::string_view text, const std::string& interface) {
    std::string own;
    bool is_ours = false;
    const std::string name = firewalld_name(interface);
    for (const auto line : ascii::split(text, '\n')) {
        if (!line.empty() && line.front() != ' ' && line.front() != '\t') {
            const auto first = line.substr(0, line.find(' '));
            const auto rest = first.starts_with(name) ? first.substr(name.size()) : "?";
            is_ours = rest.empty() || (rest.size() == 2 && rest.front() == '-');
            if (is_ours) own += fmt::format("{}\n", first);
        } else if (is_ours && !ascii::trim(line).empty()) {
            own += fmt::format("{}\n", line);
        }
    }
    return own;
}

Result<std::string> lists_of(std::vector<std::string> command, const std::string& interface) {
    std::string all;
    for (const char* list : {"--list-all-zones", "--list-all-policies"}) {
        command.emplace_back(list);
        const auto text = output_of(command, {}, command[0] + " does not list its rules");
        if (!text) return text.error();
        all += own_blocks(*text, interface);
        command.pop_back();
    }
    return all;
}

} // namespace

bool firewalld_is_running() {
    if (!has_program("firewall-cmd")) return false;
    CommandOptions quiet;
    quiet.silent = true;
    quiet.keeps_output = true;
    const auto ran = run_command({"firewall-cmd", "--state"}, quiet);
    constexpr int running_but_failed = 251; // its last reload failed; the next one may mend it
    return ran && (ran->status == 0 || ran->status == running_but_failed);
}

Result<RuleText> read_firewalld(const std::string& interface) {
    if (auto fits = check_firewalld_interface(interface); !fits) return fits.error();
    RuleText rules{Backend::firewalld, interface, {}};
    for (const auto& file : firewalld_files) {
        const auto text =
            files::read(fmt::format("{}/{}", firewalld_folder, firewalld_path(interface, file)));
        if (!text && text.error().code != Errc::not_found) return text.error();
        rules.parts.push_back(text ? std::string(text->begin(), text->end()) : std::string());
    }
    rules.parts.emplace_back();
    if (!firewalld_is_running()) return rules;
    auto listed = lists_of({"firewall-cmd"}, interface);
    if (!listed) return listed.error();
    rules.parts.back() = *std::move(listed);
    return rules;
}

Result<RuleText> list_firewalld(const RuleText& rules) {
    const TemporaryFolder scratch(TemporaryFolder::prefix("wgkit-fw-"));
    if (scratch.path().empty()) return errno_error("cannot make a temporary folder");
    const fs::path config = fs::path(scratch.path()) / "firewalld";
    std::error_code failed;
    fs::copy(firewalld_folder, config, fs::copy_options::recursive, failed);
    for (const char* folder : {"zones", "policies", "ipsets"})
        fs::create_directories(config / folder, failed);
    for (std::size_t i = 0; i < firewalld_files.size(); ++i) {
        const auto path =
            (config / firewalld_path(rules.interface, firewalld_files.at(i))).string();
        if (rules.parts[i].empty())
            fs::remove(path, failed);
        else if (auto done = files::replace(path, rules.parts[i], 0644); !done)
            return done.error();
    }
    const std::vector<std::string> offline{"firewall-offline-cmd",
                                           "--system-config=" + config.string()};
    auto check = offline;
    check.emplace_back("--check-config");
    const auto good =
        output_of(check, {}, fmt::format("firewalld refuses the rules of {}", rules.interface));
    if (!good) return good.error();
    RuleText result = rules;
    result.parts.back().clear();
    if (rules.parts[0].empty()) return result;
    auto listed = lists_of(offline, rules.interface);
    if (!listed) return listed.error();
    result.parts.back() = *std::move(listed);
    return result;
}

Result<void> load_firewalld(const RuleText& rules) {
    if (!firewalld_is_running())
        return Error{Errc::conflict, "firewalld does not run",
                     "start it, or name another firewall"};
    for (std::size_t i = 0; i < firewalld_files.size(); ++i) {
        const auto path = fmt::format("{}/{}", firewalld_folder,
                                      firewalld_path(rules.interface, firewalld_files.at(i)));
        if (rules.parts[i].empty()) {
            if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(path);
            continue;
        }
        if (auto made = files::make_folders(fs::path(path).parent_path().string(), 0755); !made)
            return made;
        if (auto done = files::replace(path, rules.parts[i], 0644); !done) return done;
    }
    const auto loaded = output_of({"firewall-cmd", "--reload"}, {},
                                  "firewalld did not load the rules of " + rules.interface);
    return loaded ? Result<void>() : loaded.error();
}

} // namespace wgkit::fw
