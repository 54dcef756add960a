#include "device/endpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <thread>

#include "util/ascii.hpp"

namespace wgkit {

namespace {

std::uint64_t allowed_retries() {
    constexpr std::uint64_t usual = 15;
    const char* text = std::getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
    if (text == nullptr) return usual;
    if (std::string_view(text) == "infinity") return std::numeric_limits<std::uint64_t>::max();
    return ascii::to_number(text, std::numeric_limits<std::uint32_t>::max()).value_or(usual);
}

} // namespace

Result<DeviceEndpoint> look_up_patiently(const Endpoint& endpoint,
                                         const InterfaceOptions& options) {
    using namespace std::chrono_literals;
    constexpr auto longest = 20000ms;
    auto pause = 1000ms;
    std::uint64_t retries = allowed_retries();
    for (;;) {
        auto found = look_up(endpoint);
        if (found || found.error().code != Errc::system || retries-- == 0) return found;
        if (options.warn)
            options.warn({found.error().code, found.error().message,
                          fmt::format("trying again in {:.1f} seconds",
                                      std::chrono::duration<double>(pause).count())});
        for (auto waited = 0ms; waited < pause; waited += 100ms) {
            if (options.is_interrupted && options.is_interrupted()) return found;
            std::this_thread::sleep_for(100ms);
        }
        pause = std::min(pause * 6 / 5, longest);
    }
}

} // namespace wgkit
