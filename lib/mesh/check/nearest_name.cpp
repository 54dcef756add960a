#include "mesh/check/nearest_name.hpp"

#include <fmt/format.h>

#include "util/ascii.hpp"

namespace wgkit::mesh {

std::string NearestName::hint(std::string_view wrong) {
    if (left_-- > 0)
        if (const auto near = ascii::nearest(wrong, names_))
            return fmt::format("did you mean '{}'?", *near);
    return "names are those under `nodes:`, as `name:` gives them";
}

} // namespace wgkit::mesh
