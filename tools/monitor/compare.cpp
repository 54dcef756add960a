#include "monitor/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "common/json.hpp"
#include "wgkit/monitor_fleet.hpp"

namespace wgkit::tool::monitor {

namespace {

using namespace wgkit::monitor;

struct CompareOptions {
    std::string a, b;
    bool json = false;
};

/// The file's name without folder and ending.
std::string host_of(const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    return name.substr(0, name.rfind('.'));
}

Json to_json(const PairJudgement& pair) {
    const auto end = [](const PairEnd& one) {
        return Json{{"host", one.name},
                    {"interface", one.device == nullptr ? Json() : Json(one.device->interface)},
                    {"state", one.peer == nullptr ? Json() : Json(to_string(one.peer->verdict))}};
    };
    return {{"verdict", to_string(pair.verdict)},
            {"reason", pair.text},
            {"ends", {end(pair.a), end(pair.b)}}};
}

int run_compare(const CompareOptions& options, const Report& report) {
    const auto a = read_samples(options.a), b = read_samples(options.b);
    for (const auto* read : {&a, &b})
        if (!*read) report.error(read->error());
    if (!a || !b) return static_cast<int>(Level::unknown);
    const auto pairs = compare(host_of(options.a), *a, host_of(options.b), *b);
    const bool is_bad = std::any_of(pairs.begin(), pairs.end(),
                                    [](const PairJudgement& pair) { return pair.is_trouble(); });
    if (options.json) {
        Json list = Json::array();
        for (const auto& pair : pairs) list.push_back(to_json(pair));
        print({{"schema", 1}, {"pairs", list}});
    } else {
        for (const auto& pair : pairs)
            fmt::print("{}: {}\n", pair.is_trouble() ? "ALERT" : "OK", pair.text);
    }
    return static_cast<int>(is_bad ? Level::critical : Level::ok);
}

} // namespace

Action setup_compare(Arguments arguments) {
    auto options = std::make_shared<CompareOptions>();
    arguments.add_option("a", options->a, "What one host told: a state file, or --format json")
        .type_name("FILE")
        .required();
    arguments.add_option("b", options->b, "What the other told").type_name("FILE").required();
    arguments.add_flag("--json", options->json, "Print the result as JSON");
    return [options](const Report& report) { return run_compare(*options, report); };
}

} // namespace wgkit::tool::monitor
