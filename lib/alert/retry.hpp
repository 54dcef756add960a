#pragma once

#include <optional>
#include <string>

#include "wgkit/alert.hpp"

/// What an answer means for a message and for its target: pure.
namespace wgkit::alert {

enum class Verdict {
    taken,
    later,    ///< try again
    unknown,  ///< it may have arrived
    refused,  ///< the receiver will never take this message
    disabled, ///< the receiver wants no more messages
};

struct Judgement {
    Verdict verdict = Verdict::later;
    /// It concerns all messages to the target, not this one.
    bool whole_target = false;
    std::optional<std::chrono::milliseconds> after; ///< how long the receiver asks to wait
    std::string why;                                ///< for people, without secrets
};

Judgement judge(const HttpAnswer& answer, AlertTime now);

/// Every form of "come back later": Retry-After in seconds or as a date, X-RateLimit-Reset-After,
/// `retry_after` (seconds) and `retry_after_ms` in JSON, also below `parameters`. At most a day.
std::optional<std::chrono::milliseconds> retry_after(const HttpAnswer& answer, AlertTime now);

/// How long to wait after so many failures: doubled each time, of that between a half and all
/// (`chance` from 0 to 1), so that many senders do not come back together.
std::chrono::milliseconds backoff(const AlertConfig& config, std::uint32_t failures, double chance);

} // namespace wgkit::alert
