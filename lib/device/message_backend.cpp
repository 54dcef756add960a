#include "device/message_backend.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "util/errno_error.hpp"

namespace wgkit {

namespace {

/// Lets dummy peers do the removals; false if there are none.
bool use_dummies(std::span<PeerStep> steps) {
    bool any = false;
    for (auto& step : steps) {
        if (step.removed_ips.empty()) continue;
        step.by_dummy = true;
        any = true;
    }
    return any;
}

Error refused_fields(const std::string& name, const DeviceChange& change, int code) {
    if (code == EADDRINUSE && change.listen_port)
        return {Errc::conflict, fmt::format("{}: port {} is taken", name, *change.listen_port),
                "`ss -lunp` shows by whom"};
    return errno_error(fmt::format("{} refuses its key, port or mark", name), code);
}

} // namespace

DeviceBackend::~DeviceBackend() = default;

Result<std::vector<RefusedPeer>> MessageBackend::set(const DeviceChange& change) {
    std::vector<RefusedPeer> refused;
    auto steps = steps_of(change);
    if (!can_remove_) use_dummies(steps);
    const bool has_fields = change.private_key || change.listen_port || change.fwmark;
    const DeviceChange* fields = has_fields ? &change : nullptr;
    for (std::span<PeerStep> left(steps); fields != nullptr || !left.empty(); fields = nullptr) {
        const auto part = left.first(fits(left));
        left = left.subspan(part.size());
        auto code = send(fields, part);
        if (!code) return code.error();
        // A kernel without that flag knows the attribute that carries it as little.
        if (*code == EINVAL && can_remove_ && use_dummies(part)) {
            can_remove_ = false;
            use_dummies(left);
            code = send(fields, part);
            if (!code) return code.error();
        }
        if (*code == 0) continue;
        // Once more in single steps, to tell whose fault it is. What was done already stays so.
        if (fields != nullptr) {
            const auto alone = send(fields, {});
            if (!alone) return alone.error();
            if (*alone != 0) return refused_fields(name_, change, *alone);
        }
        if (auto sent = send_one_by_one(part, refused); !sent) return sent.error();
    }
    return refused;
}

Result<void> MessageBackend::send_one_by_one(std::span<PeerStep> steps,
                                             std::vector<RefusedPeer>& refused) {
    for (const auto& step : steps) {
        const auto code = send(nullptr, {&step, 1});
        if (!code) return code.error();
        if (*code == 0) continue;
        if (refused.empty() || refused.back().public_key != step.public_key)
            refused.push_back({step.public_key, errno_error(name_ + " refuses the peer", *code)});
    }
    return {};
}

} // namespace wgkit
