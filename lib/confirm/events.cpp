#include "confirm/events.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace wgkit::confirm {

Events::Events(const std::string& folder)
    : changes_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      timer_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
    ::inotify_add_watch(changes_.get(), folder.c_str(),
                        IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR);
}

void Events::wait(BootTime time) const {
    time = std::max(time, BootTime(1)); // 0 would disarm the timer
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    itimerspec at{};
    at.it_value = {seconds.count(), (time - seconds).count()};
    ::timerfd_settime(timer_.get(), 0, &at, nullptr);
    std::array<pollfd, 2> sources{pollfd{changes_.get(), POLLIN, 0},
                                  pollfd{timer_.get(), POLLIN, 0}};
    // Without descriptors of their own they would never tell: then look again every second.
    const bool works = changes_ && timer_;
    ::poll(sources.data(), sources.size(), works ? -1 : 1000);
    std::array<char, 4096> news{};
    while (works && ::read(changes_.get(), news.data(), news.size()) > 0) {
    }
}

} // namespace wgkit::confirm
