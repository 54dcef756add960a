#include "monitor/run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>

#include "monitor/conclude.hpp"
#include "monitor/fleet.hpp"
#include "monitor/headscale.hpp"
#include "monitor/probe.hpp"
#include "util/ascii.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::tool::monitor {

namespace {

/// The run must end before the next is due, whatever hangs. The state file is replaced whole, so
/// ending at any moment does no harm.
void limit_duration(std::uint32_t limit) {
    std::signal(SIGALRM, [](int) {
        constexpr std::string_view text = "wgkit-monitor: error: not done within --timeout\n";
        (void)!::write(STDERR_FILENO, text.data(), text.size());
        ::_exit(static_cast<int>(Level::unknown));
    });
    ::alarm(limit);
}

Policy policy_of(const MonitorOptions& options) {
    Policy policy;
    if (options.max_stale != 0) policy.otherwise.max_stale = seconds(options.max_stale);
    policy.otherwise.strict = options.strict;
    policy.otherwise.bad_runs = options.bad_runs;
    policy.otherwise.probe = options.probe;
    return policy;
}

Instant now_of(const MonitorOptions& options) {
    if (options.now == 0) return read_clocks();
    return {seconds(options.now), {}, {}, {}};
}

bool matches(const Row& row, std::string_view wanted) {
    return row.peer->name == wanted
           || (wanted.size() >= 6 && to_string(row.peer->key).starts_with(wanted));
}

std::string output_of(const MonitorOptions& options, const std::vector<Row>& rows,
                      const State& state, const std::vector<std::string>& problems) {
    if (options.format == "json") return to_json(rows, state);
    if (options.format == "jsonl") return to_jsonl(rows, state);
    if (options.format == "nagios") return to_nagios(rows, problems);
    if (options.all)
        return table_text(rows, {options.output.empty() && wants_colour(STDOUT_FILENO), false});
    return trouble_text(rows);
}

void write_output(const MonitorOptions& options, const std::vector<Row>& rows, const State& state,
                  const std::vector<std::string>& problems, const files::Sink& to) {
    if (options.format == "state") return write_text(state, to);
    if (options.format != "prometheus") return to(output_of(options, rows, state, problems));
    const Dialect dialect = options.compat == "mindflavor" ? Dialect::mindflavor
                            : options.compat == "mdlayher" ? Dialect::mdlayher
                                                           : Dialect::own;
    write_prometheus(rows, state, {dialect, false}, to);
}

/// The peer's samples; nothing if there is no such peer.
std::string explanation(std::string_view wanted, const std::vector<Row>& rows, const State& state) {
    std::string text;
    for (const auto& row : rows)
        if (matches(row, wanted)) text += (text.empty() ? "" : "\n") + explain_text(row, state);
    return text;
}

struct Observed {
    State state;
    std::vector<std::string> problems;
};

/// A moment after a look: whom is data on the way to?
void glance_again(const MonitorOptions& options, State& state) {
    constexpr milliseconds moment{250};
    std::this_thread::sleep_for(moment);
    const Samples samples = take(options.sources);
    glance(state, samples.devices, now_of(options));
}

/// Waits for what is known in a moment: the next run may be far away.
Samples take_when_due(const MonitorOptions& options, const State& state) {
    constexpr milliseconds patience{2000};
    Samples samples = take(options.sources);
    const milliseconds wait = until_due(state, samples.devices, now_of(options), patience);
    if (wait == milliseconds{}) return samples;
    std::this_thread::sleep_for(wait);
    return take(options.sources);
}

/// One look, or two with --interval between them.
void look(const MonitorOptions& options, const Policy& policy, Observed& to, const Report& report) {
    const bool is_live = options.sources.dump.empty();
    for (int round = options.interval == 0 ? 1 : 0; round < 2; ++round) {
        Samples samples = is_live ? take_when_due(options, to.state) : take(options.sources);
        const Instant now = now_of(options);
        if (round == 1 && is_live)
            if (const auto targets = to_probe(to.state, samples.devices, now, policy);
                !targets.empty())
                probe(targets, samples);
        const Run run = observe(to.state, samples.devices, now, policy);
        if (run.stepped != milliseconds{})
            report.warning(fmt::format("the clock was moved by {} s",
                                       std::chrono::duration_cast<seconds>(run.stepped).count()));
        if (is_live) glance_again(options, to.state);
        if (round == 0) {
            std::this_thread::sleep_for(seconds(options.interval));
            continue;
        }
        for (const auto& problem : samples.problems) {
            if (options.format != "nagios") report.error(problem);
            to.problems.push_back(problem.message);
        }
    }
}

/// What the last run left; nothing if it cannot be used.
Result<State> load_state(const Store& store, const Report& report) {
    const auto text = store.load();
    if (!text) return text.error();
    if (text->empty()) return State{};
    auto state = parse_state(*text);
    if (state) return state;
    store.set_aside(state.error(), report);
    return State{};
}

/// A table that is drawn anew until somebody ends it. It begins with what earlier runs have seen
/// and keeps nothing: the runs of the timer go on beside it.
int watch(const MonitorOptions& options, const Policy& policy, State state, const Report& report) {
    constexpr seconds pause{10}; // sooner there is no new look to take rates from
    const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
    while (true) {
        const Samples samples = take(options.sources);
        observe(state, samples.devices, now_of(options), policy);
        if (is_terminal) std::fputs("\033[H\033[2J", stdout);
        for (const auto& problem : samples.problems) report.error(problem);
        std::fputs(table_text(rows_of(state), {wants_colour(STDOUT_FILENO), true}).c_str(), stdout);
        if (std::fflush(stdout) != 0) return static_cast<int>(Level::unknown);
        std::this_thread::sleep_for(pause);
    }
}

int run_monitor(const MonitorOptions& options, const Report& report) {
    if (!options.watch) limit_duration(options.timeout + options.interval);
    if (!options.headscale.url.empty()) return run_headscale(options, report);
    if (!options.fleet.nodes.empty()) return run_fleet(options, report);
    Policy policy = policy_of(options);
    // Without names and expectations there is still something to tell.
    const bool has_policy = read_policy(options.policy, policy, report);
    const bool keeps_state =
        !options.no_state && (!options.state.empty() || options.sources.dump.empty());
    Observed observed;
    std::optional<Store> store;
    if (keeps_state) {
        auto opened = Store::open(options.state.empty() ? default_state_folder() + "/monitor.state"
                                                        : options.state);
        if (!opened) return cannot_tell(report, opened.error());
        store = *std::move(opened);
        auto state = load_state(*store, report);
        if (!state) return cannot_tell(report, state.error());
        observed.state = *std::move(state);
    }
    if (options.watch) {
        store.reset(); // others may work meanwhile
        return watch(options, policy, std::move(observed.state), report);
    }
    look(options, policy, observed, report);
    note_problems(observed.state, observed.problems.size());
    const State& state = observed.state;
    const auto rows = rows_of(state);
    const bool sees_all = observed.problems.empty() && has_policy;
    Found found;
    found.level = worse(worst_of(rows), sees_all ? Level::ok : Level::unknown);
    if (store) found.state = [&](const files::Sink& to) { write_text(state, to); };
    if (options.receivers.any()) found.events = to_alert_events(rows, state, observed.problems);
    bool is_told = true;
    found.text = [&](const files::Sink& to) {
        if (options.explain.empty())
            return write_output(options, rows, state, observed.problems, to);
        const std::string text = explanation(options.explain, rows, state);
        is_told = !text.empty();
        to(text);
    };
    const int status = conclude(options, std::move(found), store, report);
    if (is_told) return status;
    report.error(fmt::format("no peer '{}'", options.explain),
                 "a name, or the first characters of a public key; --all lists the peers");
    return static_cast<int>(Level::unknown);
}

} // namespace

Action setup_run(Arguments arguments) {
    auto options = std::make_shared<MonitorOptions>();
    arguments
        .add_option("-i,--interface", options->sources.interfaces,
                    "Judge the peers of this device; may be repeated (default: all)")
        .type_name("IFACE");
    arguments
        .add_option("--netns", options->sources.netns,
                    "Look into this network namespace, too; may be repeated")
        .type_name("NAME");
    arguments
        .add_option("--dump", options->sources.dump,
                    "Read what `wg show all dump` printed from a file, or - for standard input")
        .type_name("FILE");
    add_headscale_options(arguments, options->headscale);
    add_fleet_options(arguments, options->fleet);
    arguments
        .add_option("-c,--config", options->policy.config,
                    "Expectations of peers, see FILES in the manual page")
        .type_name("FILE");
    arguments.add_option("--nodes", options->policy.nodes, "Names and tags of peers: nodes.yaml")
        .type_name("FILE");
    arguments
        .add_option("--names", options->policy.names,
                    "A file of wg-quick whose comments name peers; may be repeated")
        .type_name("FILE");
    arguments
        .add_option("--max-stale", options->max_stale,
                    "A peer that should be up is stale after so many seconds without a handshake")
        .range(1, 86400 * 366)
        .type_name("SECONDS");
    arguments.add_flag("--strict-stale", options->strict,
                       "Judge every peer by the age of its handshake alone");
    arguments.add_flag("--probe", options->probe,
                       "Ask peers that seem to be up for an echo through the tunnel");
    const auto alert = arguments
                           .add_option("--alert", options->receivers.config,
                                       "Tell those whom this file names, see wgkit-alert(5)")
                           .type_name("FILE");
    arguments
        .add_option("--slack-webhook-file", options->receivers.slack_webhook_file,
                    "Tell Slack alone: a file with the URL of a webhook")
        .type_name("FILE")
        .excludes(alert);
    arguments.add_option("--state", options->state, "Keep the samples in this file")
        .type_name("FILE");
    arguments.add_flag("--no-state", options->no_state, "Keep nothing between runs");
    arguments
        .add_option("--interval", options->interval,
                    "Look twice, so many seconds apart, instead of comparing with the last run")
        .range(16, 3600)
        .type_name("SECONDS");
    arguments.add_option("--format", options->format, "How the result is told")
        .choices({"text", "json", "jsonl", "nagios", "prometheus", "state"})
        .shows_default();
    arguments.add_option("--compat", options->compat, "Whose names the metrics have")
        .choices({"own", "mindflavor", "mdlayher"})
        .shows_default();
    arguments
        .add_option("-o,--output", options->output,
                    "Replace this file by the result, instead of printing it")
        .type_name("FILE");
    arguments.add_flag("-a,--all", options->all, "Show every peer, not only those in trouble");
    arguments.add_flag("--watch", options->watch,
                       "Draw the table with rates every ten seconds, until it is ended");
    arguments
        .add_option("--bad-runs", options->bad_runs,
                    "So many runs in a row that find trouble make trouble")
        .range(1, 100)
        .shows_default();
    arguments
        .add_option("--explain", options->explain,
                    "Show a peer's samples and the rule that decided")
        .type_name("PEER");
    arguments.add_option("--timeout", options->timeout, "End after so many seconds, whatever hangs")
        .range(1, 3600)
        .shows_default()
        .type_name("SECONDS");
    arguments
        .add_option("--now", options->now,
                    "Judge as if it were this time, in seconds since 1970, to replay samples")
        .type_name("SECONDS");
    return [options](const Report& report) { return run_monitor(*options, report); };
}

} // namespace wgkit::tool::monitor
