#include "wgkit/revoked.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit {

Result<std::vector<PublicKey>> read_revoked_keys(const std::string& path) {
    std::vector<PublicKey> keys;
    const auto text = files::read(path);
    if (!text) {
        if (text.error().code == Errc::not_found) return keys;
        return text.error();
    }
    std::size_t number = 0;
    for (std::string_view line : ascii::split(*text, '\n')) {
        ++number;
        line = ascii::trim(line.substr(0, line.find('#')));
        if (line.empty()) continue;
        const auto key = PublicKey::parse(line);
        if (!key)
            return Error{Errc::invalid, fmt::format("{}:{}: not a public key", path, number),
                         "one key in base64 on each line, and comments after #"};
        keys.push_back(*key);
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

} // namespace wgkit
