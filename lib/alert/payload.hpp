#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alert/message.hpp"
#include "wgkit/alert.hpp"

/// Messages in the form that each service takes.
namespace wgkit::alert {

/// What a target is like, as far as delivery has to know.
struct Traits {
    std::size_t batch = 1;             ///< messages in one request, at most
    std::size_t parallel = 1;          ///< requests under way at once
    std::chrono::milliseconds pace{0}; ///< between the starts of two
    bool tells_repetitions = false;    ///< the receiver drops what it got twice
};
Traits traits_of(const AlertTarget& target);

/// What one attempt sends: a request, or a program with its standard input.
struct Outgoing {
    std::optional<HttpRequest> http;
    std::vector<std::string> command;
    std::string input;
};

/// Secrets are read here, at each attempt. Errors: those of read_secret; invalid.
Result<Outgoing> make_outgoing(const AlertTarget& target, std::size_t url, const Batch& batch);

/// The bodies, without secrets.
std::string slack_body(const Batch& batch);
std::string mattermost_body(const Batch& batch);
std::string discord_body(const Batch& batch);
std::string teams_body(const Batch& batch);
std::string telegram_body(const Batch& batch, const std::string& chat);
std::string ntfy_body(const Batch& batch, const std::string& topic);
std::string alertmanager_body(const Batch& batch);
/// What an Alertmanager would send to a webhook, version 4.
std::string alertmanager_webhook_body(const Batch& batch, const std::string& receiver);
/// Standard Webhooks: {"type", "timestamp", "data"}; one message.
std::string standard_body(const Batch& batch);
/// One message, in the text that the configuration gives. See wgkit-alert(5).
std::string template_body(const Batch& batch, std::string_view text, std::string_view content_type);
/// One message. `dedup_key`: as PagerDuty tells incidents apart.
SecretString pagerduty_body(const Batch& batch, std::string_view routing_key);
std::string dedup_key(const AlertEvent& event);
/// A whole mail, for sendmail.
std::string mail(const AlertTarget& target, const Batch& batch);
/// What a program gets: every event with its status.
std::string exec_body(const Batch& batch);

/// A place holder of a template that is none; empty: all are known.
std::string unknown_placeholder(std::string_view text);

} // namespace wgkit::alert
