#include "support/catch.hpp"
#include "support/monitor_trace.hpp"
#include "wgkit/monitor.hpp"

using namespace wgkit;
using namespace wgkit::monitor;

// The setting of a well-known article: a server whose peers have no endpoint and no keepalive in
// its configuration, a loop over `wg show wg0 latest-handshakes` every two minutes, an alarm for
// each handshake older than 180 s. Here with recordings of the server's side.

namespace {

struct Alarms {
    std::size_t looks = 0;
    std::size_t alarms = 0;
    double first = -1; ///< second of the first
};

Alarms watch(const test::Trace& trace, const Rule& rule, double offset) {
    Alarms result;
    PeerState state;
    for (double second = offset; second <= trace.end; second += 120) {
        const auto sample = trace.at(second);
        if (!sample) continue;
        const milliseconds now(static_cast<std::int64_t>((trace.start + second) * 1000));
        state = update(std::move(state), *sample, now, now, rule);
        ++result.looks;
        if (state.level == Level::ok) continue;
        if (result.alarms++ == 0) result.first = second;
    }
    return result;
}

test::Trace server_of(const std::string& scene) {
    return test::read_trace(test::vector_path("monitor/" + scene + ".wireguard-go.right.trace"));
}

constexpr Rule as_documented{Expect::automatic, seconds(180), false};
constexpr Rule as_the_loop{Expect::automatic, seconds(180), true};

} // namespace

TEST_CASE("the article's server: a healthy idle client is no alarm, but is one for the loop") {
    const test::Trace idle = server_of("idle");
    for (const double offset : {5.0, 45.0, 85.0}) {
        CHECK(watch(idle, as_documented, offset).alarms == 0);
        CHECK(watch(idle, as_the_loop, offset).alarms > 0);
    }
}

TEST_CASE("the article's server: clients that keep alive and talk are no alarm") {
    for (const char* scene :
         {"keepalive_one", "traffic", "oneway_udp", "loss_half", "restart_left"})
        for (const double offset : {5.0, 45.0, 85.0})
            CHECK(watch(server_of(scene), as_documented, offset).alarms == 0);
}

TEST_CASE("the article's server: a client that kept alive and is cut off is told within two runs") {
    for (const double offset : {5.0, 45.0, 85.0}) {
        const Alarms told = watch(server_of("cut_keepalive"), as_documented, offset);
        CHECK(told.alarms > 0);
        CHECK(told.first > 180);
        CHECK(told.first <= 180 + 2 * 120);
    }
}
