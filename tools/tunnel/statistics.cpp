#include "tunnel/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/exit_code.hpp"
#include "util/json_text.hpp"
#include "wgkit/tunnel.hpp"

namespace wgkit::tool {

int print_statistics(const std::string& interface, bool json, const Report& report) {
    const auto answer = tunnel_statistics(interface);
    if (!answer) return report.error(answer.error());
    nlohmann::ordered_json object;
    object["schema"] = 1;
    object["interface"] = interface;
    std::string_view rest = *answer;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        const auto equals = line.find('=');
        constexpr std::string_view prefix = "wgkit_";
        if (equals == std::string_view::npos || !line.starts_with(prefix)) continue;
        const std::string name(line.substr(prefix.size(), equals - prefix.size()));
        const std::string value(line.substr(equals + 1));
        if (!json)
            fmt::print("{}: {}\n", name, value);
        else if (value.find_first_not_of("0123456789") == std::string::npos)
            object[name] = std::stoull(value);
        else
            object[name] = value;
    }
    if (json) fmt::print("{}\n", json_text::dump(object, 2));
    return exit_ok;
}

} // namespace wgkit::tool
