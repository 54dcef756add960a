#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/monitor.hpp"

/// Tables for people.
namespace wgkit::monitor {

/// Text that a terminal takes as text, whatever a name holds.
std::string printable(std::string_view text);
/// A duration in its largest unit that is not too coarse.
std::string span_text(seconds time);
/// Of a terminal, for the first column.
const char* colour_of(Level level, bool is_up);

using Table = std::vector<std::vector<std::string>>; ///< the first line is the heading
/// Columns of equal width. `colour_of_line`: of a line's first cell; empty: none.
std::string aligned(const Table& table,
                    const std::function<std::string_view(std::size_t line)>& colour_of_line);

} // namespace wgkit::monitor
