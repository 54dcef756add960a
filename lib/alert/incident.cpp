#include "alert/incident.hpp"

#include <algorithm>

namespace wgkit::alert {

namespace {

/// Notes what was reported; whether that was a change.
bool take(Incident& incident, const AlertEvent& report, AlertTime now) {
    const bool firing = !report.resolved_at;
    const bool changed = firing != incident.firing;
    if (firing) {
        // It began when it was first reported, whatever later reports say.
        const AlertTime began = incident.firing                   ? incident.event.started_at
                                : report.started_at > AlertTime{} ? report.started_at
                                                                  : now;
        incident.event = report;
        incident.event.started_at = std::min(began, now);
    } else if (changed) {
        // People know it by what was said of it.
        incident.event.resolved_at = std::max(*report.resolved_at, incident.event.started_at);
        if (report.summary != incident.event.summary) incident.event.details = report.summary;
    }
    incident.firing = firing;
    if (changed) incident.changes.push_back(now);
    return changed;
}

} // namespace

Step step(const std::optional<Incident>& before, const AlertEvent* report, const Policy& policy,
          bool silenced, AlertTime now) {
    Step result;
    result.after = before.value_or(Incident{});
    Incident& incident = result.after;
    if (report != nullptr) take(incident, *report, now);

    auto& changes = incident.changes;
    changes.erase(
        std::remove_if(changes.begin(), changes.end(),
                       [&](AlertTime at) { return at + policy.flap_window <= now || at > now; }),
        changes.end());
    const bool was_flapping = incident.flapping;
    if (policy.flap_changes != 0 && changes.size() >= policy.flap_changes)
        incident.flapping = true;
    else if (changes.size() <= policy.flap_changes / 2 // settles later than it began
             || policy.flap_changes == 0)
        incident.flapping = false;

    const auto tell = [&](Notice notice) {
        result.notice = notice;
        incident.last_notice = now;
        incident.notified = incident.firing;
        incident.told = incident.event.severity;
    };
    if (incident.flapping) {
        if (!was_flapping && !silenced) {
            tell(Notice::flapping);
            incident.notified = true; // so that they are told how it ended
        } else if (report != nullptr && incident.firing != (before && before->firing)) {
            result.held_back = true;
        }
    } else if (incident.firing) {
        const bool grew = incident.notified && incident.event.severity > incident.told;
        const bool due = incident.notified && policy.repeat.count() > 0
                         && now - incident.last_notice >= policy.repeat;
        const bool wanted =
            !incident.notified || grew || was_flapping || (due && report != nullptr);
        if (wanted && silenced)
            result.held_back = true;
        else if (!incident.notified || grew || was_flapping)
            tell(Notice::firing);
        else if (due && report != nullptr)
            tell(Notice::repeat);
    } else if (incident.notified) {
        tell(Notice::resolved); // a silence, too, does not hide that it is over
    }
    result.keep = incident.firing || incident.flapping || !changes.empty();
    return result;
}

} // namespace wgkit::alert
