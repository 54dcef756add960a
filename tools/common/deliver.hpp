#pragma once

#include <chrono>
#include <string>

#include "wgkit/result.hpp"

/// What was found out, to wgkit-alert, which keeps it and tells it.
namespace wgkit::tool {

/// Whom to tell: a configuration, or Slack alone.
struct Receivers {
    std::string config;
    std::string slack_webhook_file;

    /// Also if the environment has SLACK_WEBHOOK.
    bool any() const;
};

/// Hands the events over and has them sent, in a process of its own: sending takes libraries that a
/// run without trouble need not load. On return they are in the spool, on disk. Errors: system (the
/// program did not start, or failed; it has said why on standard error).
Result<void> deliver(const Receivers& receivers, const std::string& events,
                     std::chrono::seconds limit);

} // namespace wgkit::tool
