// Whatever a store holds: nothing of it is signed, so nothing of it may be believed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "support/trust_world.hpp"
#include "trust/token.hpp"

using namespace wgkit::trust;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const wgkit::test::TrustWorld world;
    static const State state = world.state();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (accept_snapshot(world.root, {}, text, world.now)) std::abort();
    if (next_root(world.root, text)) std::abort();
    if (check_hint(state, state.records.front(), text)) std::abort();
    const StoredAdmission stored{"web1", std::string(text)};
    if (!admit(state, {&stored, 1}, world.now).records.empty()) std::abort();
    if (const auto envelope = parse_envelope(text))
        if (!parse_envelope(to_text(*envelope))) std::abort();
    if (const auto record = parse_record(text))
        if (!parse_record(to_json(*record))) std::abort();
    (void)parse_root(text);
    (void)parse_snapshot(text);
    (void)parse_fleet(text);
    (void)parse_index(text);
    (void)parse_delegation(text);
    (void)parse_audit(text);
    (void)parse_token(text);
    return 0;
}
