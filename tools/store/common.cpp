#include "store/common.hpp"

#include <ctime>

#include "common/http_library.hpp"
#include "util/ascii.hpp"

namespace wgkit::tool::store {

void add_home(Arguments arguments, StoreCommandOptions& options) {
    arguments.add_option("--home", options.home, "Folder of the operator's settings and keys")
        .type_name("DIR")
        .shows_default();
}

void add_validity(Arguments arguments, StoreCommandOptions& options) {
    arguments
        .add_option("--valid", options.valid_days, "Days until the state must be published again")
        .type_name("DAYS")
        .range(1, 3650)
        .shows_default();
}

void add_json(Arguments arguments, StoreCommandOptions& options) {
    arguments.add_flag("--json", options.json, "Print it as JSON");
}

void add_stale_policy(Arguments arguments, std::string& policy) {
    arguments
        .add_option("--stale-policy", policy,
                    "What nodes do once the state has expired: keep or drop-unrefreshed")
        .type_name("POLICY")
        .choices({"keep", "drop-unrefreshed"});
}

std::optional<mesh::Fleet> load_inventory(const std::string& path, const Report& report) {
    auto fleet = mesh::load(mesh::Paths::beside(path), mesh::today());
    if (!fleet) {
        report.error(fleet.error());
        return std::nullopt;
    }
    report.findings(fleet->diagnostics, fleet->source);
    if (fleet->diagnostics.errors() != 0) return std::nullopt;
    return *std::move(fleet);
}

std::optional<bool> drops(const std::string& stale_policy) {
    if (stale_policy.empty()) return std::nullopt;
    return stale_policy == "drop-unrefreshed";
}

void warn_of_hooks(const Report& report) {
    report.warning("hooks are not published: agents run no commands");
}

int with_operator(const StoreCommandOptions& options, const Report& report,
                  const std::function<int(const wgkit::agent::Operator&)>& act) {
    auto poster = load_http_poster();
    if (!poster) return report.error(poster.error());
    return act({**poster, options.home, std::time(nullptr),
                static_cast<std::int64_t>(options.valid_days) * 86'400});
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const std::int64_t unit = text.back() == 'm'   ? 60
                              : text.back() == 'h' ? 3600
                              : text.back() == 'd' ? 86'400
                                                   : 0;
    text.remove_suffix(1);
    const auto count = ascii::to_number(text, 100'000);
    if (unit == 0 || !count || *count == 0) return std::nullopt;
    return static_cast<std::int64_t>(*count) * unit;
}

} // namespace wgkit::tool::store
