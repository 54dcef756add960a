#include "mesh/fleet/fleet_guard.hpp"

#include <fmt/format.h>

#include "util/file_lock.hpp"
#include "wgkit/files.hpp"

namespace wgkit::mesh {

Result<UniqueFd> guard_fleet(const Fleet& fleet) {
    auto held = lock_existing(fleet.paths.nodes, Waiting::no);
    if (!held && held.error().code != Errc::conflict) return held;
    if (!held)
        return Error{Errc::conflict,
                     fmt::format("another wgkit is at work on {}", fleet.paths.nodes),
                     "wait until it is done"};
    const auto lock = files::read(fleet.paths.lock);
    if ((lock ? std::string_view(*lock) : std::string_view()) != fleet.lock_text)
        return Error{Errc::conflict, fmt::format("{} has just changed", fleet.paths.lock),
                     "run the command again"};
    return held;
}

Result<bool> write_lock(Fleet& fleet) {
    std::string text = to_text(fleet.lock);
    if (text == fleet.lock_text) return false;
    auto written = files::replace(fleet.paths.lock, text, 0644);
    if (!written) return std::move(written).error();
    fleet.lock_text = std::move(text);
    return true;
}

} // namespace wgkit::mesh
