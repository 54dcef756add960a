#include "device/hooks.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <string_view>

#include "device/command.hpp"
#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"
#include "util/write_file.hpp"
#include "wgkit/secret.hpp"

namespace wgkit {

namespace {

std::string with_name(std::string text, std::string_view interface) {
    constexpr std::string_view placeholder = "%i";
    for (auto at = text.find(placeholder); at != text.npos;
         at = text.find(placeholder, at + interface.size()))
        text.replace(at, placeholder.size(), interface);
    return text;
}

/// As wg-quick's shell is set; the descriptor is closed for what the command starts.
constexpr std::string_view before_hook = "exec 3<&-\nset -e -o pipefail\nshopt -s extglob\n";

Result<void> run_hook(const std::string& hook, const InterfaceFile& file) {
    const UniqueFd script(::memfd_create("hook", MFD_CLOEXEC));
    if (!script) return errno_error("cannot prepare a hook");
    SecretString text(before_hook);
    text.append(hook).append("\n");
    if (auto written = files::write_all(script.get(), text, "a hook"); !written) return written;
    CommandOptions options;
    options.inherits_input = true;
    options.file = script.get();
    options.environment = {"LC_ALL=C", "INTERFACE=" + file.interface, "CONFIG_FILE=" + file.path};
    return do_command({"bash", "/proc/self/fd/3"}, options);
}

} // namespace

Result<void> run_hooks(const std::vector<std::string>& hooks, const InterfaceFile& file,
                       const InterfaceOptions& options) {
    if (!options.hooks) return {};
    for (const auto& hook : hooks) {
        const std::string command = with_name(hook, file.interface);
        const std::string shown = ascii::may_hold_key(command) ? "(hidden)" : command;
        if (options.tell) options.tell(shown);
        if (options.is_interrupted && options.is_interrupted())
            return Error{Errc::system, "interrupted", {}};
        if (auto ran = run_hook(command, file); !ran)
            return Error{ran.error().code,
                         fmt::format("the hook '{}' failed: {}", shown, ran.error().message),
                         ran.error().hint};
    }
    return {};
}

std::optional<std::string> take_key_path(std::vector<std::string>& hooks,
                                         const std::string& interface) {
    constexpr std::string_view command = "wg set %i private-key /";
    const auto at = std::find_if(hooks.begin(), hooks.end(), [&](const std::string& hook) {
        return hook.starts_with(command)
               && std::all_of(hook.begin() + command.size(), hook.end(), [](char c) {
                      return ascii::is_alnum(c)
                             || std::string_view("/._=+-%").find(c) != std::string_view::npos;
                  });
    });
    if (at == hooks.end()) return std::nullopt;
    std::string path = with_name(at->substr(command.size() - 1), interface);
    hooks.erase(at);
    return path;
}

} // namespace wgkit
