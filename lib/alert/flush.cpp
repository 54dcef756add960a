// From the spool to the receivers.
#include <fmt/format.h>

#include "alert/delivery.hpp"
#include "alert/spool_state.hpp"
#include "util/file_lock.hpp"

namespace wgkit {

Result<AlertsFlushed> AlertSpool::flush(const AlertConfig& config, HttpPoster& poster,
                                        std::chrono::steady_clock::time_point deadline) {
    const std::string lock = state_->folder + "/flush.lock";
    const auto held = lock_file(lock, Waiting::no);
    if (!held && held.error().code == Errc::conflict)
        return Error{Errc::conflict, "another process delivers the alerts of this spool", {}};
    if (!held) return held.error();
    auto done = alert::Delivery(state_->database, config, poster, deadline).run();
    if (!done || config.heartbeat.empty() || !done->problems.empty()) return done;
    HttpRequest ping;
    ping.method = "GET";
    auto url = read_secret(config.heartbeat);
    if (!url) {
        done->problems.push_back(fmt::format("heartbeat: {}", url.error().message));
        return done;
    }
    ping.url = *std::move(url);
    ping.timeout = std::chrono::seconds(10);
    const auto answer = fetch(poster, std::move(ping));
    if (answer.outcome != HttpOutcome::answered)
        done->problems.push_back(fmt::format("heartbeat: {}", answer.error));
    else if (answer.status >= 300)
        done->problems.push_back(fmt::format("heartbeat: HTTP {}", answer.status));
    return done;
}

} // namespace wgkit
