// An answer of a userspace engine reads the same whole and in parts, and what is read can be
// written.
#include <algorithm>
#include <cstdlib>

#include "uapi/answer.hpp"

using namespace wgkit;

namespace {

struct Outcome {
    bool good = false;
    bool complete = false;
    std::string message;
    Device device;
};

Outcome read(std::string_view text, std::size_t step) {
    uapi::Answer answer("wg0");
    Outcome outcome{true, false, {}, {}};
    while (!text.empty() && outcome.good) {
        const std::size_t size = std::min(step, text.size());
        if (auto fed = answer.feed(text.substr(0, size)); !fed) {
            outcome.good = false;
            outcome.message = fed.error().message;
        }
        text.remove_prefix(size);
    }
    outcome.complete = answer.is_complete();
    outcome.device = answer.take();
    return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Outcome whole = read(text, std::max<std::size_t>(size, 1)), parts = read(text, 3);
    // A line without an end is given up at once or a little later: that may differ.
    if (whole.good && parts.good) {
        if (whole.complete != parts.complete) std::abort();
        if (whole.device.peers.size() != parts.device.peers.size()) std::abort();
    }
    for (const auto& peer : whole.device.peers) {
        for (const auto& prefix : peer.allowed_ips)
            if (!Prefix::parse(to_string(prefix))) std::abort();
        if (peer.endpoint && to_string(*peer.endpoint).empty()) std::abort();
    }
    return 0;
}
