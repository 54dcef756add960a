// A library of its own, see headscale.hpp.
#include "common/http_library.hpp"
#include "monitor/headscale.hpp"
#include "monitor/wishes_file.hpp"
#include "wgkit/headscale.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::tool::monitor {

namespace {

namespace headscale = wgkit::headscale;

headscale::Time now_of(const MonitorOptions& options) {
    if (options.now != 0) return headscale::Time(seconds(options.now));
    return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

/// What monitor.yaml expects of nodes by name and tag, by their keys. False: it has errors.
bool read_expectations(const MonitorOptions& options, const headscale::Snapshot& snapshot,
                       Policy& policy, const Report& report) {
    Diagnostics diagnostics(options.policy.config);
    Wishes wishes;
    if (!read_wishes(options.policy.config, wishes, diagnostics, report)) return false;
    std::vector<KnownNode> nodes;
    for (const auto& node : snapshot.nodes)
        if (node.key) nodes.push_back({node.name, {}, *node.key, node.tags, false});
    apply(wishes, nodes, policy, diagnostics);
    report.findings(diagnostics);
    return true;
}

Result<headscale::Snapshot> look(const HeadscaleQuestion& question) {
    auto poster = load_http_poster();
    if (!poster) return poster.error();
    const MonitorOptions& options = question.options;
    headscale::Access access{options.headscale.url, question.key, options.headscale.ca_file,
                             seconds(std::max(1U, options.timeout / 2))};
    auto snapshot = headscale::look(**poster, access, now_of(options));
    if (snapshot && options.now != 0) snapshot->now = now_of(options);
    return snapshot;
}

std::string text_of(const HeadscaleQuestion& question, const headscale::Told& told) {
    const MonitorOptions& options = question.options;
    if (options.format == "json") return to_json(told, false);
    if (options.format == "jsonl") return to_json(told, true);
    if (options.format == "nagios") return to_nagios(told);
    if (options.format == "prometheus") return to_prometheus(told);
    return options.all ? table_text(told, question.colour) : trouble_text(told);
}

void ask(const HeadscaleQuestion& question, HeadscaleAnswer& answer, const Report& report) {
    const MonitorOptions& options = question.options;
    const std::string& server = options.headscale.url;
    const bool is_far = !server.starts_with("https:") && !server.starts_with("http://localhost")
                        && !server.starts_with("http://127.")
                        && !server.starts_with("http://[::1]");
    if (is_far) report.warning("the API key goes to the server unencrypted", "use https");
    headscale::State previous;
    if (!question.previous.empty()) {
        if (auto parsed = headscale::parse_state(question.previous))
            previous = *std::move(parsed);
        else
            answer.unusable = parsed.error();
    }
    Found& found = answer.found;
    const auto snapshot = look(question);
    if (!snapshot) {
        found.level = Level::unknown;
        found.events = headscale::to_alert_event(server, snapshot.error(), now_of(options));
        if (options.format == "nagios")
            found.text = whole("HEADSCALE UNKNOWN: " + snapshot.error().message + "\n");
        else
            report.error(snapshot.error());
        return;
    }
    Policy policy;
    const bool has_policy = read_expectations(options, *snapshot, policy, report);
    const headscale::Limits limits{seconds(options.headscale.grace)};
    const headscale::State state = headscale::observe(previous, *snapshot, policy, limits);
    const headscale::Told told{*snapshot, state,
                               headscale::findings(previous, state, *snapshot, limits), server};
    found.level = worse(told.level(), has_policy ? Level::ok : Level::unknown);
    found.text = whole(text_of(question, told));
    found.events = to_alert_events(told);
    found.state = whole(to_text(state));
}

} // namespace

} // namespace wgkit::tool::monitor

extern "C" __attribute__((visibility("default"))) void
wgkit_ask_headscale(const wgkit::tool::monitor::HeadscaleQuestion& question,
                    wgkit::tool::monitor::HeadscaleAnswer& answer,
                    const wgkit::tool::Report& report) {
    wgkit::tool::monitor::ask(question, answer, report);
}
