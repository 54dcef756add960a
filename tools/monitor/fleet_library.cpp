// A library of its own, see fleet.hpp.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "common/json.hpp"
#include "monitor/compare.hpp"
#include "monitor/fleet.hpp"
#include "util/child.hpp"
#include "util/json_text.hpp"
#include "util/parallel.hpp"
#include "util/rfc3339.hpp"
#include "wgkit/files.hpp"
#include "wgkit/monitor_fleet.hpp"
#include "wgkit/monitor_formats.hpp"
#include "wgkit/monitor_policy.hpp"

namespace wgkit::tool::monitor {

namespace {

constexpr unsigned most_at_once = 32;
constexpr std::size_t most_output = std::size_t{64} << 20;

/// One look more on the host, with what it knows from earlier ones; or, while a look of its own is
/// under way, what that left.
constexpr const char* remote_command =
    "s=; [ \"$(id -u)\" = 0 ] || s='sudo -n'; "
    "out=$($s wgkit monitor --format state); [ -n \"$out\" ] && printf '%s\\n' \"$out\" || "
    "$s cat /var/lib/wgkit/monitor.state";

struct Host {
    FleetHost told;
    wgkit::mesh::Ssh ssh;
};

std::vector<std::string> ssh_command(const Host& host, seconds patience) {
    std::vector<std::string> words{
        "ssh", "-o", "BatchMode=yes", "-o",
        fmt::format("ConnectTimeout={}", std::max<std::int64_t>(1, patience.count() / 2))};
    const auto port = static_cast<unsigned>(host.ssh.port);
    if (port != 0 && port != 22) {
        words.emplace_back("-p");
        words.push_back(std::to_string(port));
    }
    if (!host.ssh.user.empty()) {
        words.emplace_back("-l");
        words.push_back(host.ssh.user);
    }
    words.emplace_back("--");
    words.push_back(host.ssh.host.empty() ? host.told.name : host.ssh.host);
    words.emplace_back(remote_command);
    return words;
}

std::string last_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    return std::string(text.substr(text.rfind('\n') + 1));
}

Result<State> by_ssh(const Host& host, seconds patience) {
    const auto end = run_child(ssh_command(host, patience), {}, patience, most_output);
    if (!end) return end.error();
    if (end->timed_out) return Error{Errc::system, "no answer in time", {}};
    if (end->output.empty())
        return Error{Errc::system,
                     end->errors.empty() ? fmt::format("ssh ended with status {}", end->status)
                                         : last_line(end->errors),
                     {}};
    return parse_samples(end->output, host.told.name);
}

Result<State> from_folder(const Host& host, const std::string& folder) {
    const std::string path = fmt::format("{}/{}", folder, host.told.name);
    const bool is_json = ::access((path + ".json").c_str(), F_OK) == 0;
    return read_samples(path + (is_json ? ".json" : ".state"));
}

/// The hosts of all networks; one that is in several is one.
std::vector<Host> hosts_of(const mesh::Fleet& fleet) {
    std::vector<Host> hosts;
    std::map<std::string, std::size_t> index;
    for (const auto& known : known_nodes(fleet)) {
        if (known.disabled) continue;
        const auto [at, is_new] = index.emplace(known.name, hosts.size());
        if (is_new) hosts.emplace_back().told.name = known.name;
        hosts[at->second].told.keys.push_back(known.key);
    }
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes) {
            const auto at = index.find(node.name.value);
            if (at == index.end()) continue;
            hosts[at->second].ssh = node.ssh;
            hosts[at->second].told.asked = node.managed;
        }
    return hosts;
}

void collect(std::vector<Host>& hosts, const MonitorOptions& options) {
    const seconds patience(std::max(1U, options.timeout / 2));
    (void)parallel_for(hosts.size(), most_at_once, [&]() -> Worker {
        return [&](std::size_t i) -> Result<void> {
            Host& host = hosts[i];
            if (!host.told.asked) return {};
            auto state = options.fleet.folder.empty() ? by_ssh(host, patience)
                                                      : from_folder(host, options.fleet.folder);
            if (state)
                host.told.state = *std::move(state);
            else
                host.told.problem = state.error().message;
            return {};
        };
    });
}

/// For `serve --samples`. A host that does not answer keeps what it told last.
Result<void> keep(const std::vector<Host>& hosts, const std::string& folder) {
    if (folder.empty()) return {};
    if (auto made = files::make_folders(folder, 0750); !made) return made;
    for (const auto& host : hosts) {
        if (!host.told.state) continue;
        auto written = files::replace(
            fmt::format("{}/{}.state", folder, host.told.name),
            [&](const files::Sink& to) { write_text(*host.told.state, to); }, 0640);
        if (!written) return written;
    }
    return {};
}

std::string text_of(const std::vector<FleetCause>& causes, bool all) {
    std::string text;
    for (const auto& cause : causes) {
        if (cause.level == Level::ok && !all) continue;
        const std::string_view word = cause.level == Level::critical ? "ALERT"
                                      : cause.level == Level::ok     ? "OK"
                                                                     : "WARNING";
        text += fmt::format("{}: {}", word, cause.text);
        constexpr std::size_t most = 8;
        const auto shown = std::min(cause.details.size(), most);
        if (shown != 0 && cause.level != Level::ok)
            text += fmt::format(
                " ({}{})",
                fmt::join(cause.details.begin(),
                          cause.details.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                cause.details.size() > most
                    ? fmt::format(", and {} more", cause.details.size() - most)
                    : "");
        text += '\n';
    }
    return text;
}

std::string line_of(const Json& json) { return json_text::dump(json) + "\n"; }

std::string json_of(const std::vector<FleetCause>& causes, Level level) {
    Json list = Json::array();
    for (const auto& cause : causes)
        list.push_back({{"type", cause.type},
                        {"node", cause.node},
                        {"level", to_string(cause.level)},
                        {"reason", cause.text},
                        {"details", cause.details}});
    const Json json{{"schema", 1}, {"level", to_string(level)}, {"causes", list}};
    return json_text::dump(json, 2) + "\n";
}

std::string events_of(const std::vector<FleetCause>& causes) {
    std::string text;
    for (const auto& cause : causes) {
        const auto since = cause.since != milliseconds{}
                               ? std::chrono::duration_cast<seconds>(cause.since)
                               : seconds(std::time(nullptr));
        const std::string when = rfc3339(std::chrono::sys_seconds(since));
        Json event{{"key", "fleet:" + cause.key},
                   {"type", "fleet." + cause.type},
                   {"severity", cause.level == Level::critical ? "critical" : "warning"},
                   {"summary", cause.text},
                   {"details", fmt::format("{}", fmt::join(cause.details, "\n"))},
                   {"labels", {{"node", cause.node}, {"state", cause.type}}},
                   {"started_at", when}};
        if (cause.level == Level::ok) event["resolved_at"] = when;
        text += line_of(event);
    }
    return text;
}

void ask(const MonitorOptions& options, Found& found, const Report& report) {
    found.level = Level::unknown;
    const auto fleet = mesh::load(mesh::Paths::beside(options.fleet.nodes), mesh::today());
    if (!fleet) {
        report.error(fleet.error());
        return;
    }
    if (fleet->diagnostics.errors() != 0) {
        report.findings(fleet->diagnostics, fleet->source);
        return;
    }
    std::vector<Host> hosts = hosts_of(*fleet);
    collect(hosts, options);
    const auto kept = keep(hosts, options.fleet.keep);
    if (!kept) report.error(kept.error()); // what was told counts all the same
    std::vector<FleetHost> told;
    for (auto& host : hosts) told.push_back(std::move(host.told));
    const auto causes = judge_fleet(told);
    found.level = kept ? Level::ok : Level::unknown;
    for (const auto& cause : causes) found.level = worse(found.level, cause.level);
    found.text = whole(options.format == "json" ? json_of(causes, found.level)
                                                : text_of(causes, options.all));
    found.events = events_of(causes);
}

} // namespace

} // namespace wgkit::tool::monitor

extern "C" __attribute__((visibility("default"))) void
wgkit_ask_fleet(const wgkit::tool::monitor::MonitorOptions& options,
                wgkit::tool::monitor::Found& found, const wgkit::tool::Report& report) {
    wgkit::tool::monitor::ask(options, found, report);
}
