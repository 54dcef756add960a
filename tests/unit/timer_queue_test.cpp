#include "engine/timer_queue.hpp"

#include <algorithm>
#include <random>

#include "support/catch.hpp"

using namespace wgkit::engine;

namespace {

struct Item : TimerSlot {
    Instant latest = never; ///< what the model expects
};
Instant at(std::int64_t n) { return Instant(std::chrono::nanoseconds(n)); }

} // namespace

TEST_CASE("objects come out when their time has come, earliest first") {
    TimerQueue<Item> queue;
    Item a;
    Item b;
    queue.at_latest(a, at(20));
    queue.at_latest(b, at(10));
    CHECK(queue.next() == at(10));
    CHECK(queue.pop(at(9)) == nullptr);
    CHECK(queue.pop(at(30)) == &b);
    CHECK(queue.pop(at(30)) == &a);
    CHECK(queue.pop(at(30)) == nullptr);
    CHECK(queue.next() == never);
}

TEST_CASE("a later time does not move an object, an earlier one does") {
    TimerQueue<Item> queue;
    Item a;
    queue.at_latest(a, at(20));
    queue.at_latest(a, at(30));
    CHECK(queue.next() == at(20));
    queue.at_latest(a, at(5));
    CHECK(queue.next() == at(5));
    queue.at_latest(a, never);
    CHECK(queue.next() == at(5));
    queue.remove(a);
    queue.remove(a);
    CHECK(queue.next() == never);
}

TEST_CASE("random schedules agree with a plain search") {
    std::mt19937 random(3);
    std::vector<Item> items(200);
    TimerQueue<Item> queue;
    std::int64_t now = 0;
    for (int step = 0; step < 50'000; ++step) {
        Item& item = items[random() % items.size()];
        switch (random() % 4) {
        case 0:
        case 1: {
            const Instant due = at(now + static_cast<std::int64_t>(random() % 1000));
            queue.at_latest(item, due);
            item.latest = std::min(item.latest, due);
            break;
        }
        case 2:
            queue.remove(item);
            item.latest = never;
            break;
        default:
            now += random() % 20;
            while (Item* due = queue.pop(at(now))) {
                REQUIRE(due->latest <= at(now));
                due->latest = never;
            }
        }
        const auto first = std::min_element(items.begin(), items.end(),
                                            [](auto& a, auto& b) { return a.latest < b.latest; });
        REQUIRE(queue.next() == first->latest);
    }
}
