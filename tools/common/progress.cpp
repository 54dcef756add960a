#include "common/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace wgkit::tool {

using namespace std::chrono_literals;

Progress::Progress(std::string what, bool silent)
    : what_(std::move(what)), active_(!silent && ::isatty(STDERR_FILENO) == 1),
      next_(std::chrono::steady_clock::now() + 200ms) {}

void Progress::update(std::size_t done, std::size_t total) {
    if (!active_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + 100ms;
    shown_ = true;
    constexpr std::size_t width = 30;
    const std::size_t filled = total == 0 ? width : width * done / total;
    fmt::print(stderr, "\r{} [{:<{}}] {}/{}", what_, std::string(filled, '#'), width, done, total);
    std::fflush(stderr);
}

void Progress::finish() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
}

} // namespace wgkit::tool
