#include "monitor/site.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "monitor/page_files.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::monitor {

namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view json_type = "application/json";
constexpr std::size_t most_remembered = 60;      ///< looks of a peer
constexpr std::size_t most_with_history = 2'000; ///< peers

std::string name_of(const DeviceState& device, const PeerState& peer) {
    const Row row{&device, &peer, {}, {}};
    return row.device_name() + " " + to_string(peer.key);
}

std::int64_t whole(milliseconds time) { return std::chrono::duration_cast<seconds>(time).count(); }

} // namespace

std::string Site::refresh() {
    struct stat now {};
    if (::stat(path_.c_str(), &now) != 0) {
        version_.clear();
        return fmt::format("{} cannot be read: has wgkit monitor run yet?", path_);
    }
    const std::string version = fmt::format("{} {} {}.{}", now.st_ino, now.st_size,
                                            now.st_mtim.tv_sec, now.st_mtim.tv_nsec);
    if (version == version_) return problem_;
    problem_.clear();
    const auto text = files::read(path_);
    if (!text) return text.error().message;
    auto state = parse_state(*text);
    version_ = version;
    if (!state) return problem_ = fmt::format("{}: {}", path_, state.error().message);
    state_ = *std::move(state);
    remember();
    return {};
}

void Site::remember() {
    std::size_t count = 0;
    std::unordered_map<std::string, std::deque<Look>> kept;
    for (const auto& device : state_.devices)
        for (const auto& peer : device.peers) {
            if (!is_present(state_, peer) || ++count > most_with_history) continue;
            const std::string name = name_of(device, peer);
            auto& looks = kept[name];
            if (const auto found = history_.find(name); found != history_.end())
                looks = std::move(found->second);
            for (const auto& look : peer.looks)
                if (looks.empty() || look.t > looks.back().t) looks.push_back(look);
            while (looks.size() > most_remembered) looks.pop_front();
        }
    history_ = std::move(kept);
}

Page Site::health() const {
    const auto age = std::time(nullptr) - whole(state_.clock.wall);
    const bool good = age <= max_age_.count() && state_.problems == 0;
    const std::string_view why = state_.problems != 0     ? "not everything can be seen"
                                 : age > max_age_.count() ? "the monitor has not run"
                                                          : "";
    return {good ? 200 : 503, json_type,
            fmt::format("{{\"status\":\"{}\",\"secondsSinceRun\":{},\"reason\":\"{}\"}}\n",
                        good ? "pass" : "fail", age, why)};
}

Page Site::metrics(bool open_metrics) const {
    return {200,
            open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                         : "text/plain; version=0.0.4; charset=utf-8",
            to_prometheus(rows_of(state_), state_, {Dialect::own, open_metrics})};
}

Page Site::history() const {
    nlohmann::json all = nlohmann::json::object();
    for (const auto& [name, looks] : history_) {
        auto& list = all[name] = nlohmann::json::array();
        for (const auto& look : looks)
            list.push_back({whole(wall_of(state_, look.t)), look.rx, look.tx});
    }
    return {200, json_type,
            all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
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
    return {200, json_type, to_json(rows_of(state_), state_)};
}

} // namespace wgkit::tool::monitor
