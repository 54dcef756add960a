#include "agent/store_link.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sodium.h>

#include <algorithm>

#include "agent/reader.hpp"

namespace wgkit::agent {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds first_pause{200};
constexpr milliseconds longest_pause{30'000};
constexpr milliseconds whole_state_timeout{15'000};

/// Between half and all of it, so that a fleet does not come back all at once.
milliseconds jittered(milliseconds pause) {
    const auto half = static_cast<std::uint32_t>(pause.count() / 2);
    return milliseconds(half + randombytes_uniform(half + 1));
}

} // namespace

StoreLink::StoreLink(HttpPoster& requests, HttpPoster& watch, store::Layout layout,
                     store::Access access, int stop,
                     std::function<void(bool, const std::string&)> tell)
    : layout_(std::move(layout)), client_(requests, std::move(access)), watch_(watch, client_),
      stop_(stop), tell_(std::move(tell)), pause_(first_pause) {
    // Not all of a fleet at the same one, and everything at once may be a megabyte.
    client_.start_anywhere();
    client_.timeout = whole_state_timeout;
    requests.wake_on(stop);
    watch.wake_on(stop);
}

bool StoreLink::listen(Follower& follower, milliseconds timeout) {
    if (!is_connected_) {
        const auto left = std::chrono::ceil<milliseconds>(retry_at_ - steady_clock::now());
        if (left.count() > 0) {
            sleep(std::min(left, timeout));
            return false;
        }
        return connect(follower);
    }
    auto news = watch_.wait(timeout);
    for (auto& event : news.events) {
        if (event.removed)
            follower.remove(event.entry.key);
        else
            follower.put(event.entry.key, std::move(event.entry.value),
                         event.entry.create_revision);
    }
    if (news.compacted)
        is_connected_ = false; // what was missed is read with everything else, at once
    else if (!news.error.empty())
        lost(news.error);
    return false;
}

bool StoreLink::connect(Follower& follower) {
    const auto revision = read_published(client_, layout_, follower);
    if (!revision) {
        if (revision.error().code == Errc::permission) client_.forget_login();
        lost(revision.error().message);
        return false;
    }
    if (auto started = watch_.start(followed_prefixes(layout_), *revision + 1); !started) {
        lost(started.error().message);
        return false;
    }
    is_connected_ = true;
    connected_at_ = steady_clock::now();
    if (std::exchange(is_lost_, false)) tell_(false, "the store is back");
    return true;
}

void StoreLink::use(store::Access access) {
    client_.use(std::move(access));
    watch_.stop();
    is_connected_ = false;
    outbox_.clear(); // what one user may write another may not
}

bool StoreLink::flush() {
    if (outbox_.empty()) return true;
    if (!is_connected_) return false;
    store::Transaction change;
    for (const auto& [key, value] : outbox_) change.puts.emplace_back(key, value);
    const auto done = client_.commit(change);
    if (!done || !done->done) return false;
    outbox_.clear();
    return true;
}

void StoreLink::lost(const std::string& why) {
    // A store that takes us in only to throw us out is not asked without pause.
    const auto now = steady_clock::now();
    if (std::exchange(is_connected_, false) && now - connected_at_ > longest_pause)
        pause_ = first_pause;
    client_.next_member();
    retry_at_ = now + jittered(pause_);
    pause_ = std::min(pause_ * 2, longest_pause);
    pollfd one{stop_, POLLIN, 0};
    if (std::exchange(is_lost_, true) || ::poll(&one, 1, 0) > 0) return;
    tell_(true, fmt::format("the store is away: {}", why));
}

void StoreLink::sleep(milliseconds time) const {
    pollfd one{stop_, POLLIN, 0};
    ::poll(&one, 1, static_cast<int>(time.count()));
}

} // namespace wgkit::agent
