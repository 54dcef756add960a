#include "util/process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit {

namespace {

/// Fields of /proc/PID/stat after the name (proc(5)): the state is the first.
constexpr std::size_t parent_field = 1;
constexpr std::size_t start_field = 19;

} // namespace

Result<Process> read_process(pid_t pid) {
    const auto path = fmt::format("/proc/{}/stat", pid);
    const auto text = files::read(path);
    if (!text) return text.error();
    const std::string_view line = *text;
    // The name may hold spaces and parentheses of its own.
    const auto open = line.find('(');
    const auto close = line.rfind(')');
    const auto malformed = Error{Errc::system, fmt::format("{} is not as expected", path), {}};
    if (open == line.npos || close == line.npos || close + 2 > line.size()) return malformed;
    const auto fields = ascii::split(line.substr(close + 2), ' ');
    if (fields.size() <= start_field) return malformed;
    const auto parent = ascii::to_number(fields[parent_field], 0x7fffffff);
    const auto ticks = ascii::to_number(fields[start_field], UINT64_MAX / 1'000'000'000U);
    if (!parent || !ticks) return malformed;
    const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return Process{pid, static_cast<pid_t>(*parent),
                   std::string(line.substr(open + 1, close - open - 1)),
                   std::chrono::nanoseconds(*ticks * (1'000'000'000U / per_second))};
}

} // namespace wgkit
