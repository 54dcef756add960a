#include "engine/replay.hpp"

#include <random>
#include <set>

#include "support/catch.hpp"

using wgkit::engine::ReplayWindow;

namespace {
constexpr std::uint64_t size = ReplayWindow::size;
}

TEST_CASE("a counter is accepted once") {
    ReplayWindow window;
    for (const std::uint64_t counter : {0U, 1U, 9U, 8U, 7U}) CHECK(window.accept(counter));
    for (const std::uint64_t counter : {0U, 1U, 9U, 8U, 7U}) CHECK_FALSE(window.accept(counter));
    CHECK(window.accept(2));
}

TEST_CASE("the window's edge is exact") {
    ReplayWindow window;
    CHECK(window.accept(size + 1));
    CHECK(window.accept(1)); // exactly `size` behind
    CHECK_FALSE(window.accept(0));

    ReplayWindow other;
    CHECK(other.accept(2 * size));
    CHECK(other.accept(size));
    CHECK_FALSE(other.accept(size - 1));
    CHECK(other.accept(size + 1));
    CHECK_FALSE(other.accept(size + 1));
}

TEST_CASE("a jump forgets what came before, by parts or whole") {
    ReplayWindow window;
    for (std::uint64_t i = 0; i < 100; ++i) CHECK(window.accept(i));
    CHECK(window.accept(size + 50));
    CHECK_FALSE(window.accept(49)); // out of the window
    CHECK_FALSE(window.accept(60)); // seen
    CHECK(window.accept(size + 49));
    CHECK(window.accept(std::uint64_t{1} << 40));
    CHECK_FALSE(window.accept(size + 50));
    CHECK(window.accept((std::uint64_t{1} << 40) - size));
}

TEST_CASE("counters that would let the window wrap are never accepted") {
    using wgkit::engine::reject_after_messages;
    ReplayWindow window;
    CHECK_FALSE(window.accept(reject_after_messages));
    CHECK_FALSE(window.accept(UINT64_MAX));
    CHECK(window.accept(reject_after_messages - 1));
    CHECK(window.accept(0) == false);
    CHECK(window.accept(reject_after_messages - 2));
}

TEST_CASE("the window agrees with a set of all that was seen") {
    std::mt19937_64 random(7);
    ReplayWindow window;
    std::set<std::uint64_t> seen;
    std::uint64_t newest = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::uint64_t counter = 0;
        switch (random() % 8) {
        case 0:
            counter = newest + random() % 20'000;
            break;
        case 1:
            counter = newest + 1;
            break;
        default:
            counter = newest - std::min(newest, random() % (2 * size));
        }
        const bool too_old = counter + size < newest;
        const bool expected = !too_old && seen.count(counter) == 0;
        REQUIRE(window.accept(counter) == expected);
        seen.insert(counter);
        newest = std::max(newest, counter);
        if (seen.size() > 50'000)
            seen.erase(seen.begin(), seen.lower_bound(newest - std::min(newest, size)));
    }
}
