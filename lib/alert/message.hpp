#pragma once

#include <string>
#include <vector>

#include "alert/text.hpp"
#include "wgkit/alert.hpp"

/// What people read: events as lines of text, grouped by what they have in common.
namespace wgkit::alert {

struct Message {
    AlertEvent event;
    std::string kind; ///< as AlertWaiting's
    bool over() const { return kind == "resolved" || kind == "blip"; }
};

/// Messages that go out as one request.
struct Batch {
    std::string id; ///< the same at every attempt
    std::vector<Message> messages;
    bool perhaps_repeated = false; ///< an earlier attempt may have arrived
    std::uint64_t dropped = 0;     ///< messages to the target that were dropped before this one
    std::string source;            ///< who sends it
    AlertTime now{};               ///< of this attempt
    std::chrono::seconds repeat{}; ///< how often what lasts is told again; 0: never
};

/// "3 h 5 min", the two largest units.
std::string duration_text(std::chrono::seconds duration);

/// "CRITICAL", "RESOLVED" and so on: the worst that still lasts.
std::string status_word(const Batch& batch);
/// Whether all of it is over.
bool all_over(const Batch& batch);
AlertSeverity worst(const Batch& batch);

/// One line: "[CRITICAL] gw: peer db is unreachable" or "[WARNING] gw: 12 alerts, 3 resolved".
std::string title(const Batch& batch);

/// Text after the title, its lines at most `max` units long in all, by `escape` made safe for the
/// format. What does not fit is counted: "and 40 more".
std::string body(const Batch& batch, std::size_t max, Unit unit,
                 std::string (*escape)(std::string_view) = nullptr);

} // namespace wgkit::alert
