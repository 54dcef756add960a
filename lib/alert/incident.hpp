#pragma once

#include <optional>
#include <vector>

#include "wgkit/alert.hpp"

/// What is known of one key, and when people are told: pure.
namespace wgkit::alert {

struct Incident {
    AlertEvent event; ///< as it was reported last while it lasted
    bool firing = false;
    bool notified = false; ///< people were told that it is firing
    bool flapping = false;
    AlertSeverity told = AlertSeverity::info; ///< how severe, when they were
    AlertTime last_notice{};
    std::vector<AlertTime> changes; ///< within the flap window
};

enum class Notice { firing, repeat, resolved, flapping };

struct Policy {
    std::chrono::seconds repeat;
    std::size_t flap_changes;
    std::chrono::seconds flap_window;
};

struct Step {
    Incident after;
    bool keep = true; ///< false: forget it
    std::optional<Notice> notice;
    bool held_back = false; ///< there was something to tell, but for a silence or flapping
};

/// One report (none: only time has passed) about an incident (none: the key is new).
Step step(const std::optional<Incident>& before, const AlertEvent* report, const Policy& policy,
          bool silenced, AlertTime now);

} // namespace wgkit::alert
