#include "monitor/site.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "monitor/page_files.hpp"
#include "util/json_text.hpp"
#include "wgkit/files.hpp"
#include "wgkit/monitor_fleet.hpp"

namespace wgkit::tool::monitor {

namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view json_type = "application/json";
constexpr std::size_t most_remembered = 60;      ///< looks of a peer
constexpr std::size_t most_with_history = 2'000; ///< peers

std::string name_of(const std::string& node, const DeviceState& device, const PeerState& peer) {
    const Row row{&device, &peer, {}, {}};
    return (node.empty() ? "" : node + " ") + row.device_name() + " " + to_string(peer.key);
}

std::int64_t whole(milliseconds time) { return std::chrono::duration_cast<seconds>(time).count(); }

std::string to_line(const nlohmann::json& json) { return json_text::dump(json) + "\n"; }

} // namespace

bool StateFile::refresh() {
    struct stat now {};
    if (::stat(path.c_str(), &now) != 0) {
        version.clear();
        problem = fmt::format("{} cannot be read: has wgkit monitor run yet?", path);
        return false;
    }
    const std::string found = fmt::format("{} {} {}.{}", now.st_ino, now.st_size,
                                          now.st_mtim.tv_sec, now.st_mtim.tv_nsec);
    if (found == version) return false;
    const auto text = files::read(path);
    if (!text) {
        problem = text.error().message;
        return false;
    }
    version = found;
    auto parsed = path.ends_with(".json") ? state_from_json(*text) : parse_state(*text);
    problem = parsed ? std::string() : fmt::format("{}: {}", path, parsed.error().message);
    if (parsed) state = *std::move(parsed);
    return true;
}

void Site::list_folder() {
    std::map<std::string, StateFile> found;
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, failure)) {
        const auto& path = entry.path();
        const bool is_sample = path.extension() == ".state" || path.extension() == ".json";
        if (!is_sample || path.filename().string().starts_with('.')) continue;
        const std::string node = path.stem().string();
        auto known = files_.find(node);
        if (known != files_.end() && known->second.path == path.string())
            found.insert(files_.extract(known));
        else
            found[node].path = path.string();
    }
    files_ = std::move(found);
}

std::string Site::refresh() {
    const std::size_t before = files_.size();
    if (is_fleet()) list_folder();
    bool is_new = files_.size() != before || json_.empty();
    std::string problem = files_.empty() ? folder_ + " has no file NODE.state or NODE.json" : "";
    for (auto& [node, file] : files_) {
        if (file.refresh()) {
            is_new = true;
            remember(node, file.state);
        }
        if (!file.problem.empty()) problem = file.problem;
    }
    if (!is_fleet()) return problem;
    // One bad file hides no other host.
    const bool is_any_good = std::any_of(
        files_.begin(), files_.end(), [](const auto& file) { return file.second.problem.empty(); });
    if (!is_any_good) return problem;
    if (is_new) json_ = fleet_json();
    return {};
}

void Site::remember(const std::string& node, const State& state) {
    auto& before = history_[node];
    std::size_t count = 0;
    std::unordered_map<std::string, std::deque<Look>> kept;
    for (const auto& device : state.devices)
        for (const auto& peer : device.peers) {
            if (!is_present(state, peer) || ++count > most_with_history) continue;
            const std::string name = name_of(node, device, peer);
            auto& looks = kept[name];
            if (const auto found = before.find(name); found != before.end())
                looks = std::move(found->second);
            for (const auto& look : peer.looks)
                if (looks.empty() || look.t > looks.back().t) looks.push_back(look);
            while (looks.size() > most_remembered) looks.pop_front();
        }
    before = std::move(kept);
}

Page Site::health() const {
    std::int64_t age = 0;
    bool sees_all = true;
    for (const auto& [node, file] : files_) {
        age = std::max(age, std::time(nullptr) - whole(file.state.clock.wall));
        sees_all = sees_all && file.problem.empty() && file.state.problems == 0;
    }
    const bool good = age <= max_age_.count() && sees_all;
    const std::string_view why = !sees_all                ? "not everything can be seen"
                                 : age > max_age_.count() ? "the monitor has not run"
                                                          : "";
    return {good ? 200 : 503, json_type,
            fmt::format("{{\"status\":\"{}\",\"secondsSinceRun\":{},\"reason\":\"{}\"}}\n",
                        good ? "pass" : "fail", age, why)};
}

Page Site::metrics(bool open_metrics) const {
    if (is_fleet()) return {404, text_type, "each host has metrics of its own\n"};
    const State& state = files_.begin()->second.state;
    return {200,
            open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                         : "text/plain; version=0.0.4; charset=utf-8",
            to_prometheus(rows_of(state), state, {Dialect::own, open_metrics})};
}

Page Site::history() const {
    nlohmann::json all = nlohmann::json::object();
    for (const auto& [node, file] : files_) {
        const auto peers = history_.find(node);
        if (peers == history_.end()) continue;
        for (const auto& [name, looks] : peers->second) {
            auto& list = all[name] = nlohmann::json::array();
            for (const auto& look : looks)
                list.push_back({whole(wall_of(file.state, look.t)), look.rx, look.tx});
        }
    }
    return {200, json_type, to_line(all)};
}

std::string Site::fleet_json() const {
    std::map<std::string, std::string> owner; // of a public key
    for (const auto& [node, file] : files_)
        for (const auto& device : file.state.devices)
            if (device.public_key) owner.emplace(to_string(*device.public_key), node);
    nlohmann::json all{{"schema", 1}, {"time", 0}, {"level", "ok"}};
    all["nodes"] = all["peers"] = nlohmann::json::array();
    Level worst = Level::ok;
    for (const auto& [node, file] : files_) {
        const auto rows = rows_of(file.state);
        const Level level = file.problem.empty() ? worst_of(rows) : Level::unknown;
        worst = worse(worst, level);
        const auto when = whole(file.state.clock.wall);
        all["time"] = std::max(all["time"].get<std::int64_t>(), when);
        all["nodes"].push_back({{"name", node}, {"time", when}, {"level", to_string(level)}});
        auto told = json_text::parse(to_json(rows, file.state));
        for (auto& peer : told["peers"]) {
            const auto known = owner.find(peer["publicKey"].get<std::string>());
            peer["node"] = node;
            peer["peerNode"] =
                known == owner.end() ? nlohmann::json(nullptr) : nlohmann::json(known->second);
            all["peers"].push_back(std::move(peer));
        }
    }
    all["level"] = to_string(worst);
    return to_line(all);
}

Page Site::get(std::string_view path, std::string_view accept) {
    if (path == "/") return {200, "text/html; charset=utf-8", std::string(page_html)};
    if (path == "/style.css") return {200, "text/css; charset=utf-8", std::string(page_css)};
    if (path == "/app.js") return {200, "text/javascript; charset=utf-8", std::string(page_js)};
    const bool is_ours = path == "/healthz" || path == "/metrics" || path == "/api/v1/peers"
                         || path == "/api/v1/history";
    if (!is_ours) return {404, text_type, "not here: / /metrics /api/v1/peers /healthz\n"};
    if (const std::string problem = refresh(); !problem.empty())
        return {503, text_type, problem + "\n"};
    if (path == "/healthz") return health();
    if (path == "/metrics")
        return metrics(accept.find("application/openmetrics-text") != accept.npos);
    if (path == "/api/v1/history") return history();
    if (is_fleet()) return {200, json_type, json_};
    const State& state = files_.begin()->second.state;
    return {200, json_type, to_json(rows_of(state), state)};
}

} // namespace wgkit::tool::monitor
