#include <fmt/format.h>

#include "util/ascii.hpp"
#include "wgkit/files.hpp"
#include "wgkit/rotate.hpp"

namespace wgkit::rotate {

Result<void> read_preshared_keys(const std::string& path, std::vector<Offer>& offers) {
    const auto text = files::read_secret(path);
    if (!text) return text.error();
    const auto bad = [&path](std::size_t line, const char* what) {
        return Error{Errc::invalid, fmt::format("{}:{}: {}", path, line, what),
                     "a preshared key alone, or lines of a public and a preshared key"};
    };
    std::size_t number = 0;
    for (const auto whole : ascii::split(*text, '\n')) {
        ++number;
        const auto line = ascii::trim(whole);
        if (line.empty()) continue;
        const auto space = line.find_first_of(" \t");
        auto key = parse_preshared_key(ascii::trim(line.substr(space == line.npos ? 0 : space)));
        if (!key) return bad(number, "no preshared key");
        if (space == line.npos) {
            if (offers.size() != 1) return bad(number, "one key for more than one offer");
            offers.front().preshared_key = std::move(*key);
            continue;
        }
        const auto peer = PublicKey::parse(line.substr(0, space));
        if (!peer) return bad(number, "no public key");
        for (auto& offer : offers)
            if (offer.current == *peer) offer.preshared_key = key->clone();
    }
    return {};
}

} // namespace wgkit::rotate
