#pragma once

#include <cstddef>
#include <functional>

#include "wgkit/result.hpp"

namespace wgkit {

/// Does the work of one index.
using Worker = std::function<Result<void>(std::size_t index)>;

/// Calls a worker for every index below `count`, on as many threads (0: one for each processor).
/// Every thread makes a worker of its own, for state that threads cannot share.
/// Errors: the first one; what has not begun by then is left out.
Result<void> parallel_for(std::size_t count, unsigned threads,
                          const std::function<Worker()>& make_worker);

} // namespace wgkit
