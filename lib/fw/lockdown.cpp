#include <fmt/format.h>

#include "fw/interface.hpp"
#include "fw/traffic_text.hpp"
#include "wgkit/firewall.hpp"

namespace wgkit::fw {

Result<Ruleset> lockdown(const LockdownOptions& options) {
    if (auto fits = check_interface(options.interface); !fits) return fits.error();
    Ruleset ruleset;
    ruleset.interface = options.interface;
    ruleset.listen_port = options.port;
    if (options.rotation) cover_second(ruleset);
    ruleset.filter_forward = false;
    ruleset.ping = options.ping;
    ruleset.log = options.log;
    for (const auto& text : options.allow) {
        auto traffic = parse_traffic(text);
        if (!traffic) {
            Error error = traffic.error();
            error.message = fmt::format("--allow {}: {}", text, error.message);
            return error;
        }
        Rule rule;
        rule.text = fmt::format("{} through {}", text, options.interface);
        rule.traffic = *std::move(traffic);
        ruleset.rules.push_back(std::move(rule));
    }
    if (options.exit) {
        Rule rule;
        rule.hook = Hook::forward;
        rule.text = fmt::format("from {} to anywhere else", options.interface);
        rule.traffic = {Traffic{}};
        ruleset.rules.push_back(std::move(rule));
    }
    return ruleset;
}

} // namespace wgkit::fw
