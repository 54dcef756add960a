#include "alert/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wgkit::alert {

namespace {

std::string upper(std::string_view word) {
    std::string text(word);
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

std::chrono::seconds duration(const AlertEvent& event, AlertTime now) {
    const auto end = event.resolved_at.value_or(now);
    return std::max(std::chrono::seconds(0), end - event.started_at);
}

/// What a line says after the summary.
std::string remark(const Message& message, AlertTime now) {
    const auto lasted = duration_text(duration(message.event, now));
    if (message.kind == "resolved") return fmt::format(" (resolved after {})", lasted);
    if (message.kind == "blip") return fmt::format(" (was so for {}, is over)", lasted);
    if (message.kind == "repeat") return fmt::format(" (still, since {})", lasted);
    if (message.kind == "flapping") return " (keeps changing; no more messages until it settles)";
    return {};
}

std::string line(const Message& message, AlertTime now) {
    return clean(message.event.summary) + remark(message, now);
}

/// Groups in the order of their first message: what is over apart from what lasts, then by cause.
std::vector<std::vector<const Message*>> groups(const Batch& batch) {
    std::vector<std::vector<const Message*>> list;
    for (const auto& message : batch.messages) {
        const auto same = [&](const std::vector<const Message*>& group) {
            const Message& other = *group.front();
            return other.over() == message.over() && other.event.cause == message.event.cause;
        };
        const auto found = std::find_if(list.begin(), list.end(), same);
        if (found == list.end())
            list.push_back({&message});
        else
            found->push_back(&message);
    }
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
        return a.front()->over() < b.front()->over();
    });
    return list;
}

std::vector<std::string> lines_of(const Batch& batch) {
    std::vector<std::string> lines;
    for (const auto& group : groups(batch)) {
        const auto cause = clean(group.front()->event.cause);
        const bool headed = !cause.empty() && group.size() > 1;
        if (headed)
            lines.push_back(fmt::format("{}{}: {} alerts", cause,
                                        group.front()->over() ? " (over)" : "", group.size()));
        for (const auto* message : group) {
            std::string text = headed ? "  - " : "";
            text += line(*message, batch.now);
            if (!headed && !cause.empty()) text += fmt::format(" [{}]", cause);
            lines.push_back(std::move(text));
            if (batch.messages.size() > 1) continue;
            const auto details = clean(message->event.details, true);
            if (!details.empty()) lines.push_back(details);
            std::string labels;
            for (const auto& [name, value] : message->event.labels)
                labels +=
                    fmt::format("{}{}: {}", labels.empty() ? "" : ", ", clean(name), clean(value));
            if (!labels.empty()) lines.push_back(labels);
        }
    }
    return lines;
}

} // namespace

std::string duration_text(std::chrono::seconds lasted) {
    struct Step {
        const char* name;
        std::int64_t seconds;
    };
    constexpr std::array steps{Step{"d", 86400}, Step{"h", 3600}, Step{"min", 60}, Step{"s", 1}};
    std::int64_t left = lasted.count();
    std::string text;
    int parts = 0;
    for (const auto& step : steps) {
        const auto count = left / step.seconds;
        left %= step.seconds;
        if (count == 0 && parts == 0) continue;
        if (count != 0) text += fmt::format("{}{} {}", text.empty() ? "" : " ", count, step.name);
        if (++parts == 2) break;
    }
    return text.empty() ? "0 s" : text;
}

bool all_over(const Batch& batch) {
    return std::all_of(batch.messages.begin(), batch.messages.end(),
                       [](const Message& message) { return message.over(); });
}

AlertSeverity worst(const Batch& batch) {
    const bool over = all_over(batch);
    AlertSeverity severity = AlertSeverity::info;
    for (const auto& message : batch.messages)
        if (over || !message.over()) severity = std::max(severity, message.event.severity);
    return severity;
}

std::string status_word(const Batch& batch) {
    return all_over(batch) ? "RESOLVED" : upper(to_string(worst(batch)));
}

std::string title(const Batch& batch) {
    std::string text = fmt::format("[{}] ", status_word(batch));
    if (!batch.source.empty()) text += clean(batch.source) + ": ";
    if (batch.messages.size() == 1) {
        text += line(batch.messages.front(), batch.now);
    } else {
        const auto resolved = static_cast<std::size_t>(
            std::count_if(batch.messages.begin(), batch.messages.end(),
                          [](const Message& message) { return message.over(); }));
        const auto firing = batch.messages.size() - resolved;
        const auto& cause = batch.messages.front().event.cause;
        const bool one_cause =
            !cause.empty()
            && std::all_of(batch.messages.begin(), batch.messages.end(),
                           [&](const Message& m) { return m.event.cause == cause; });
        if (one_cause) text += clean(cause) + ", ";
        if (firing != 0) text += fmt::format("{} alert{}", firing, firing == 1 ? "" : "s");
        if (resolved != 0) text += fmt::format("{}{} resolved", firing != 0 ? ", " : "", resolved);
    }
    if (batch.perhaps_repeated) text += " (possibly repeated)";
    return text;
}

std::string body(const Batch& batch, std::size_t max, Unit unit,
                 std::string (*escape)(std::string_view)) {
    const auto safe = [&](std::string_view text) {
        return escape != nullptr ? escape(text) : std::string(text);
    };
    std::vector<std::string> lines;
    for (const auto& text : lines_of(batch)) lines.push_back(safe(text));
    std::string tail;
    if (batch.dropped != 0)
        tail = safe(
            fmt::format("{} earlier message{} dropped: the spool was full or they were too old",
                        batch.dropped, batch.dropped == 1 ? " was" : "s were"));
    constexpr std::size_t room_for_rest = 24; // "and 1000000 more", a line end
    const std::size_t room = max - std::min(max, length(tail, unit) + 1 + room_for_rest);
    std::string text;
    std::size_t used = 0, taken = 0;
    for (const auto& one : lines) {
        const auto size = length(one, unit) + 1;
        if (used + size > room) break;
        text += (text.empty() ? "" : "\n") + one;
        used += size;
        ++taken;
    }
    if (taken == 0 && !lines.empty()) {
        // An escape must not be cut in two: the text is cut first, to what may double.
        text = safe(cut(lines_of(batch).front(), room / (escape != nullptr ? 5 : 1), unit));
        ++taken;
    }
    if (taken < lines.size())
        text += fmt::format("\n{}", safe(fmt::format("and {} more", lines.size() - taken)));
    if (!tail.empty()) text += "\n" + tail;
    return text;
}

} // namespace wgkit::alert
