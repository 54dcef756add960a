#include "fw/internet.hpp"

#include <algorithm>

namespace wgkit::fw {

namespace {

/// `whole` without `holes`: halves are kept if nothing of them is a hole, else halved again.
void without(const Prefix& whole, const std::vector<Prefix>& holes, std::vector<Prefix>& out) {
    const auto inside = [&](const Prefix& hole) { return hole.contains(whole); };
    const auto touches = [&](const Prefix& hole) { return whole.contains(hole); };
    if (std::any_of(holes.begin(), holes.end(), inside)) return;
    if (std::none_of(holes.begin(), holes.end(), touches)) {
        out.push_back(whole);
        return;
    }
    std::vector<std::uint8_t> bytes(whole.address.bytes().begin(), whole.address.bytes().end());
    const auto length = static_cast<std::uint8_t>(whole.length + 1);
    without({whole.address, length}, holes, out);
    bytes[whole.length / 8U] |= static_cast<std::uint8_t>(0x80U >> (whole.length % 8U));
    without({IpAddress::from_bytes(whole.address.family(), bytes), length}, holes, out);
}

std::vector<Prefix> make() {
    std::vector<Prefix> holes;
    for (const char* text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
          "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"})
        holes.push_back(*Prefix::parse(text));
    std::vector<Prefix> prefixes;
    without(*Prefix::parse("0.0.0.0/0"), holes, prefixes);
    prefixes.push_back(*Prefix::parse("2000::/3"));
    return prefixes;
}

} // namespace

const std::vector<Prefix>& internet_prefixes() {
    static const std::vector<Prefix> prefixes = make();
    return prefixes;
}

} // namespace wgkit::fw
