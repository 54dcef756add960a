#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Where alerts go: alert.yaml as data. See wgkit-alert(5).
namespace wgkit {

using AlertTime = std::chrono::sys_seconds;

/// How bad it is, least first.
enum class AlertSeverity : std::uint8_t { info, warning, critical };

/// The word in configuration and messages.
WGKIT_API std::string_view to_string(AlertSeverity severity);

/// Where a secret is found when it is needed. At most one of these is set.
struct SecretSource {
    std::string file;        ///< refused if others may read it
    std::string environment; ///< the name of a variable
    std::string credential;  ///< a name below $CREDENTIALS_DIRECTORY (systemd)
    std::string text;        ///< as it stands in the configuration: only for what is no secret

    /// Whether none of them is set.
    bool empty() const;
};

/// Reads it; a newline at its end is not part of it. Errors: not_found, permission, system.
WGKIT_API Result<SecretString> read_secret(const SecretSource& source);

/// Which service a target is.
enum class AlertTargetType : std::uint8_t {
    slack,
    webhook,
    alertmanager,
    ntfy,
    pagerduty,
    email,
    exec,
    discord,
    teams,
    mattermost,
    telegram,
};

/// What a webhook's body looks like.
enum class WebhookFormat : std::uint8_t { standard, alertmanager, body_template };

/// One receiver, with what its service needs.
struct AlertTarget {
    std::string name;
    AlertTargetType type = AlertTargetType::webhook;
    std::vector<SecretSource> urls;
    SecretSource token; ///< ntfy, Alertmanager: bearer; PagerDuty: routing key; Telegram: bot token
    SecretSource signing_key;     ///< webhook: Standard Webhooks, `whsec_...`
    SecretSource old_signing_key; ///< while keys are changed both sign
    SecretSource hub_key;         ///< webhook: X-Hub-Signature-256
    WebhookFormat format = WebhookFormat::standard;
    std::string body; ///< of a template
    std::string content_type = "application/json";
    std::map<std::string, std::string> headers;
    std::string topic;                ///< ntfy
    std::string chat;                 ///< Telegram
    std::string from;                 ///< e-mail
    std::vector<std::string> to;      ///< e-mail
    std::vector<std::string> command; ///< exec; e-mail: sendmail and its options
    AlertSeverity minimum = AlertSeverity::info;
    bool send_resolved = true;
    bool at_most_once = false; ///< not sent again if it may have arrived
    std::string ca_file;
    std::string proxy; ///< empty: as the environment says
    std::chrono::seconds timeout{15};
};

/// Which events go where. The first that fits decides, unless it goes on.
struct AlertRoute {
    std::map<std::string, std::string> matches; ///< label to value, `*` at its end is any rest
    std::vector<std::string> tags;              ///< one of them
    std::vector<std::string> types;             ///< one of them, `*` at its end is any rest
    AlertSeverity minimum = AlertSeverity::info;
    std::vector<std::string> to;
    bool goes_on = false;
};

/// The whole configuration; wgkit-alert(1) tells its fields.
struct AlertConfig {
    std::string spool = "/var/lib/wgkit/alert";
    std::string source; ///< who reports, for receivers; empty: the host's name
    std::vector<AlertTarget> targets;
    std::vector<AlertRoute> routes; ///< none: all to all targets
    SecretSource heartbeat;         ///< URL that is fetched after each flush without problems
    std::chrono::seconds repeat{4 * 3600}; ///< 0: never
    std::uint32_t flap_changes = 6;        ///< so many changes in flap_window are flapping; 0: off
    std::chrono::seconds flap_window{3600};
    std::size_t max_messages = 100'000;
    std::chrono::seconds max_age{7 * 24 * 3600};
    std::chrono::milliseconds first_retry{5000}; ///< doubled at each failure, with jitter
    std::chrono::seconds last_retry{3600};
};

/// Findings with file, line and column are added to `diagnostics`; with errors among them the
/// result must not be used.
WGKIT_API AlertConfig parse_alert_config(std::string_view text, Diagnostics& diagnostics);

/// One Slack target whose URL stands in a file or an environment variable, for commands without a
/// configuration.
WGKIT_API AlertConfig slack_alert_config(SecretSource url, std::string spool);

/// "/var/lib/wgkit/alert" for root, else below $XDG_STATE_HOME or ~/.local/state.
WGKIT_API std::string default_alert_spool();

} // namespace wgkit
