// Feeds the same files to wgkit's parser and to the real wg, and compares what each understood.
// Every difference must be listed in tests/vectors/config/differences.json, and still be there.
#include <cstdio>
#include <cstdlib>

#include "config_vs_wg_inputs.hpp"
#include "support/wg_comparison.hpp"

namespace {

using namespace wgkit;

constexpr int skipped = 77;
constexpr unsigned long usual_seed = 20240229;
constexpr unsigned long usual_count = 2500;

int missing(const char* what) {
    const bool required = std::getenv("WGKIT_REQUIRE_TOOLS") != nullptr;
    std::printf("%s: %s: install the Debian package wireguard-tools and run as root "
                "(scripts/bootstrap test)\n",
                required ? "FAIL" : "SKIP", what);
    return required ? 1 : skipped;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::puts("usage: wgkit_config_vs_wg DIFFERENCES [SEED COUNT]");
        return 64;
    }
    const auto seed = argc > 3 ? std::stoul(argv[2]) : usual_seed;
    const auto count = argc > 3 ? std::stoul(argv[3]) : usual_count;
    auto oracle = test::WgOracle::open();
    if (!oracle) return missing(oracle.error().message.c_str());
    const long version = oracle->version();
    if (version == 0) return missing("this test needs wg");

    test::Comparison comparison(*oracle, test::Differences::read(argv[1], version));
    comparison.every_difference_is_still_there();
    for (const auto& text : test::grammar_table()) comparison.with_wg(text);
    for (const auto& text : test::quick_table()) comparison.with_wg_quick(text);
    for (const auto& text : test::generated(static_cast<unsigned>(seed), count)) {
        comparison.with_wg(text);
        comparison.canonical_text_means_the_same(text);
    }
    std::printf("wg 1.0.%ld: %lu generated files, %zu requests alike, %d failures\n", version,
                count, comparison.understood_alike(), comparison.failures());
    // Too many files that both reject would compare nothing.
    const bool meaningful = comparison.understood_alike() >= count / 4;
    return comparison.failures() == 0 && meaningful ? 0 : 1;
}
