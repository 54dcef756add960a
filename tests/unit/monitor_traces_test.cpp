#include <fmt/format.h>

#include "monitor/silence.hpp"
#include "support/catch.hpp"
#include "support/monitor_trace.hpp"
#include "wgkit/monitor.hpp"

using namespace wgkit;
using namespace wgkit::monitor;
using wgkit::test::Trace;

namespace {

struct Told {
    double second;
    PeerState state;
};

/// What a monitor says that looks every `spacing` seconds, from `offset` on.
std::vector<Told> replay(const Trace& trace, double spacing, double offset, const Rule& rule = {}) {
    std::vector<Told> told;
    PeerState state;
    for (double second = offset; second <= trace.end; second += spacing) {
        const auto sample = trace.at(second);
        if (!sample) continue; // the engine was gone
        const milliseconds now(static_cast<std::int64_t>((trace.start + second) * 1000));
        state = update(std::move(state), *sample, now, now, rule);
        constexpr double moment = 1.2; // until the recording goes on, for some of the looks
        if (const auto next = trace.at(second + moment))
            note_asked(state, *next, now + milliseconds(1200));
        told.push_back({second, state});
    }
    return told;
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += word + " ";
    return text;
}

/// The first disagreement with what the scene did, or nothing. What shows only between two looks
/// may be told `spacing` later.
std::string disagreement(const Trace& trace, double spacing, double offset) {
    double known_from = -1;
    const test::Span* last = nullptr;
    for (const auto& [second, state] : replay(trace, spacing, offset)) {
        const test::Span* span = trace.truth_at(second);
        if (span == nullptr) continue;
        if (span != last) known_from = span->from;
        last = span;
        const std::string verdict(to_string(state.verdict));
        if (std::find(span->verdicts.begin(), span->verdicts.end(), verdict)
            != span->verdicts.end())
            continue;
        const bool is_late = state.level == Level::ok && second < known_from + 2 * spacing;
        if (is_late) continue;
        return fmt::format("{} every {} s from {}: at {:.0f} s {} ({}), expected {}", trace.name,
                           spacing, offset, second, verdict, to_string(state.cause),
                           join(span->verdicts));
    }
    return {};
}

} // namespace

TEST_CASE("verdicts on recorded tunnels are what was done to them") {
    for (const auto& trace : test::read_traces())
        for (const double spacing : {15.0, 17.0, 20.0, 30.0, 60.0, 120.0})
            for (const double offset : {2.0, 4.0, 6.0, 11.0, 13.0}) {
                const std::string wrong = disagreement(trace, spacing, offset);
                CHECK(wrong == "");
            }
}
