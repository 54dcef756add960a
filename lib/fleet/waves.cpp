#include <algorithm>

#include "wgkit/fleet.hpp"

namespace wgkit::fleet {

std::vector<std::vector<std::string>> plan_waves(const std::vector<std::string>& nodes,
                                                 std::size_t canary, std::size_t size) {
    std::vector<std::vector<std::string>> waves;
    auto at = nodes.begin();
    while (at != nodes.end()) {
        const std::size_t wanted =
            waves.empty() && canary != 0 ? canary : std::max<std::size_t>(size, 1);
        const auto count = std::min(wanted, static_cast<std::size_t>(nodes.end() - at));
        const auto end = at + static_cast<std::ptrdiff_t>(count);
        waves.emplace_back(at, end);
        at = end;
    }
    return waves;
}

} // namespace wgkit::fleet
