#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wgkit/alert_config.hpp"
#include "wgkit/export.hpp"
#include "wgkit/http.hpp"
#include "wgkit/result.hpp"

/// Alerts that are not lost: events go through a memory of what is known already into a spool on
/// disk, and leave the spool only after the receiver took them. See wgkit-alert(1).
namespace wgkit {

/// What somebody has found out about one thing, e.g. a peer. Report all of them at every run, good
/// and bad: what has been said already is known here, so a run that was killed is made up for by
/// the next one.
struct AlertEvent {
    /// What it is about, the same at every report of it, e.g. "peer:wg0:PUBLIC KEY".
    std::string key;
    /// Kind, letters, digits, `_` and `.`: "peer.unreachable".
    std::string type;
    AlertSeverity severity = AlertSeverity::warning;
    std::string summary; ///< one line for people
    std::string details; ///< more lines; may be empty
    /// "fleet", "node", "interface", "peer" (its name), "public_key" and others; no empty values.
    std::map<std::string, std::string> labels;
    std::vector<std::string> tags; ///< of the node, for routes
    /// What several events have in common ("hub gw is down"): they go into one message.
    std::string cause;
    AlertTime started_at{};
    /// Set: all is well again since then, or was never otherwise. Unset: it lasts.
    std::optional<AlertTime> resolved_at;
};

/// An event as JSON: {"key", "type", "severity", "summary", "details", "labels", "tags", "cause",
/// "started_at", "resolved_at"}, times as RFC 3339 has them. Errors: invalid.
WGKIT_API Result<AlertEvent> parse_alert_event(std::string_view json);

/// How a call of record() came out. Units: messages, one for each event and target.
struct AlertsRecorded {
    std::size_t spooled = 0;
    std::size_t merged = 0;   ///< went into a message that had not been sent yet
    std::size_t silenced = 0; ///< held back by a silence or because it flaps
    std::size_t dropped = 0;  ///< removed from a full spool, the least severe first
};

/// A message that waits in the spool.
struct AlertWaiting {
    std::int64_t id = 0;
    std::string target;
    std::string kind; ///< "firing", "repeat", "resolved", "blip", "flapping"
    AlertEvent event;
    AlertTime created{};
    AlertTime next_attempt{};
    std::uint32_t attempts = 0;
    bool outcome_unknown = false; ///< it may have arrived
    std::string last_error;
};

/// What is wrong now, as far as it was recorded.
struct AlertIncident {
    AlertEvent event;
    bool notified = false; ///< the targets were told
    bool flapping = false;
    bool silenced = false;
    AlertTime last_notice{};
};

/// Events whose labels have all these values are not told until then.
struct AlertSilence {
    std::int64_t id = 0;
    std::map<std::string, std::string> matches; ///< label to value, `*` at its end is any rest
    AlertTime until{};
    std::string comment;
};

/// Whether and why a target takes no messages now.
struct AlertTargetState {
    std::string name;
    std::string disabled; ///< why; empty: it is not
    AlertTime not_before{};
    std::uint32_t failures = 0; ///< in a row
    std::uint64_t dropped = 0;  ///< since its last message
};

/// What one `flush` did.
struct AlertsFlushed {
    std::size_t delivered = 0; ///< messages that receivers took
    std::size_t requests = 0;
    std::size_t repeated = 0;          ///< of those, messages whose earlier outcome was unknown
    std::size_t waiting = 0;           ///< left in the spool
    std::size_t refused = 0;           ///< messages that a receiver will never take, dropped
    std::vector<std::string> problems; ///< one line each, without secrets
};

/// The spool: one file, `alerts.db`, in a folder of its own. Several processes may use it at once.
class WGKIT_API AlertSpool {
  public:
    /// Opens or makes it (folder 0700, file 0600). A file that is damaged is set aside and a new
    /// one begun; `problem()` then says so. Errors: permission, system.
    static Result<AlertSpool> open(const std::string& folder);

    AlertSpool(AlertSpool&&) noexcept;
    AlertSpool& operator=(AlertSpool&&) noexcept;
    ~AlertSpool();

    /// Compares the events with what is known and spools a message for each change and target:
    /// durable on return, all of them or none. Errors: system (e.g. disk full).
    Result<AlertsRecorded> record(const AlertConfig& config, std::span<const AlertEvent> events,
                                  AlertTime now);

    /// Sends what is due until nothing is, or the deadline comes. Keeps going if one target fails.
    /// Errors: conflict (another process delivers now), system.
    Result<AlertsFlushed> flush(const AlertConfig& config, HttpPoster& poster,
                                std::chrono::steady_clock::time_point deadline);

    /// Messages that no receiver took yet. Errors: system.
    Result<std::vector<AlertWaiting>> waiting() const;
    /// What is down now. Errors: system.
    Result<std::vector<AlertIncident>> incidents() const;
    /// Each target's record of failures. Errors: system.
    Result<std::vector<AlertTargetState>> targets() const;
    /// Silences that have not ended at `now`. Errors: system.
    Result<std::vector<AlertSilence>> silences(AlertTime now) const;

    /// Returns the number of the new silence. Errors: invalid, system.
    Result<std::int64_t> add_silence(const AlertSilence& silence);
    /// Errors: not_found.
    Result<void> remove_silence(std::int64_t id);
    /// Takes back what 410 or a person did: the target is tried again. Errors: not_found.
    Result<void> enable_target(const std::string& name);

    /// What happened to an earlier file; empty: nothing.
    const std::string& problem() const;

  private:
    struct State;
    WGKIT_LOCAL explicit AlertSpool(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace wgkit
