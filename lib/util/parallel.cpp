#include "util/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace wgkit {

Result<void> parallel_for(std::size_t count, unsigned threads,
                          const std::function<Worker()>& make_worker) {
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> failed = false;
    std::mutex mutex; // guards `failure`
    std::optional<Error> failure;
    const auto work = [&] {
        const Worker worker = make_worker();
        while (!failed) {
            const std::size_t index = next++;
            if (index >= count) return;
            auto done = worker(index);
            if (done) continue;
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::move(done).error();
            failed = true;
        }
    };
    {
        const std::size_t wanted = threads != 0 ? threads : std::thread::hardware_concurrency();
        std::vector<std::jthread> helpers;
        for (std::size_t t = 1; t < std::min(wanted, count); ++t) helpers.emplace_back(work);
        work();
    }
    return failure ? Result<void>(std::move(*failure)) : Result<void>();
}

} // namespace wgkit
