#include <fmt/format.h>

#include "fleet/node.hpp"
#include "util/ascii.hpp"
#include "util/child.hpp"
#include "util/own_program.hpp"

namespace wgkit::tool::fleet {

namespace {

constexpr auto program_patience = std::chrono::seconds(60);

} // namespace

Result<void> run_net(std::vector<std::string> words) {
    words.insert(words.begin(), own_program("wgkit-net"));
    const auto verb = words[1];
    const auto ran = run_child(words, {}, program_patience);
    if (!ran) return ran.error();
    if (ran->status == 0) return {};
    return failure_of("wgkit net " + verb, ran->errors);
}

Error failure_of(const std::string& command, std::string_view errors) {
    // "wgkit-net: error: ..." and its hint.
    std::string_view said = ascii::trim(errors);
    std::string hint;
    if (const auto at = said.find("\nhint: "); at != said.npos) {
        hint = said.substr(at + 7);
        said = said.substr(0, at);
    }
    if (const auto at = said.rfind("error: "); at != said.npos) said.remove_prefix(at + 7);
    return Error{Errc::system, fmt::format("{}: {}", command, said), hint};
}

} // namespace wgkit::tool::fleet
