// Any nodes.yaml is read, or refused, without crashing and without more than its share of time.
#include "wgkit/mesh.hpp"

using namespace wgkit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    constexpr mesh::Date today{std::chrono::days(20000)};
    const auto fleet = mesh::load_text(mesh::Paths::beside("nodes.yaml"), text, {}, today);
    for (const auto& plan : fleet.plans)
        for (mesh::NodeIndex i = 0; i < plan.size() && i < 8; ++i) (void)plan.peers(i);
    for (const auto& finding : fleet.diagnostics.all()) (void)to_text(finding, fleet.source);
    return 0;
}
