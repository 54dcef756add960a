#include "monitor/in_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace wgkit::tool::monitor {

Result<InNamespace> InNamespace::enter(const std::string& name) {
    const std::string path = "/run/netns/" + name;
    InNamespace here;
    here.before_ = UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    const UniqueFd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (name.find('/') != std::string::npos || !there)
        return Error{Errc::not_found, fmt::format("no network namespace '{}'", name),
                     "ip netns lists them"};
    if (!here.before_ || ::setns(there.get(), CLONE_NEWNET) != 0)
        return Error{Errc::permission,
                     fmt::format("network namespace {}: {}", name, std::strerror(errno)),
                     "this needs CAP_SYS_ADMIN"};
    here.entered_ = true;
    return here;
}

InNamespace::InNamespace(InNamespace&& other) noexcept
    : before_(std::move(other.before_)), entered_(std::exchange(other.entered_, false)) {}

InNamespace::~InNamespace() {
    if (entered_) (void)::setns(before_.get(), CLONE_NEWNET);
}

} // namespace wgkit::tool::monitor
