// What the real wg and wg-quick understand of a file, wgkit understands, too, except for the listed
// differences. Needs root and wg; without them nothing is compared, and that is said.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "support/wg_comparison.hpp"

using namespace wgkit::test;

namespace {

struct World {
    WgOracle oracle;
    Comparison comparison;

    explicit World(WgOracle opened)
        : oracle(std::move(opened)),
          comparison(oracle, Differences::read(WGKIT_DIFFERENCES, oracle.version())) {}
};

/// Nothing where this machine does not allow it.
World* world() {
    static const auto made = []() -> std::unique_ptr<World> {
        auto oracle = WgOracle::open();
        if (oracle && oracle->version() != 0) return std::make_unique<World>(std::move(*oracle));
        std::puts("nothing is compared: this needs root and wireguard-tools");
        return nullptr;
    }();
    return made.get();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World* const here = world();
    if (here == nullptr || size > 4096) return 0; // longer ones only take longer
    const std::string text(reinterpret_cast<const char*>(data), size);
    here->comparison.with_wg(text);
    if (size % 8 == 0) here->comparison.with_wg_quick(text); // which takes a shell each time
    if (here->comparison.failures() != 0) {
        std::fflush(stdout); // says what differs
        std::abort();
    }
    return 0;
}
