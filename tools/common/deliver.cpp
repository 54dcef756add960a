#include "common/deliver.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "common/exit_code.hpp"
#include "util/child.hpp"
#include "util/own_program.hpp"

namespace wgkit::tool {

namespace {

constexpr std::chrono::seconds for_the_rest{5}; ///< beside sending: to start, record and end

} // namespace

bool Receivers::any() const {
    return !config.empty() || !slack_webhook_file.empty()
           || std::getenv("SLACK_WEBHOOK") != nullptr;
}

Result<void> deliver(const Receivers& receivers, const std::string& events,
                     std::chrono::seconds limit) {
    std::vector<std::string> command{
        own_program("wgkit-alert"),   "send", "--events", "-", "--timeout",
        std::to_string(limit.count())};
    if (!receivers.config.empty()) {
        command.emplace_back("--config");
        command.push_back(receivers.config);
    }
    if (!receivers.slack_webhook_file.empty()) {
        command.emplace_back("--slack-webhook-file");
        command.push_back(receivers.slack_webhook_file);
    }
    const auto end = run_child(command, events, limit + for_the_rest);
    if (!end) return end.error();
    std::fputs(end->errors.c_str(), stderr);
    // Messages that wait are not lost: the next run sends them.
    if (end->status == exit_ok || end->status == exit_differences) return {};
    return Error{Errc::system,
                 end->timed_out ? "wgkit-alert did not end in time"
                                : fmt::format("wgkit-alert failed with status {}", end->status),
                 "what is wrong is told again at the next run"};
}

} // namespace wgkit::tool
