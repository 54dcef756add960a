#include <fmt/format.h>

#include "mesh/key_store.hpp"
#include "util/ascii.hpp"

namespace wgkit::mesh {

namespace {

std::pair<std::string, std::string> sorted(const std::string& a, const std::string& b) {
    return a < b ? std::pair(a, b) : std::pair(b, a);
}

} // namespace

Result<StoredPairs> StoredPairs::parse(std::string_view text, const std::string& file) {
    StoredPairs pairs;
    std::size_t number = 0;
    for (const auto raw : ascii::split(text, '\n')) {
        ++number;
        const auto line = ascii::trim(raw);
        if (line.empty() || line.starts_with('#')) continue;
        const auto words = ascii::split(line, ' ');
        auto key = parse_preshared_key(words.size() == 3 ? words[2] : std::string_view());
        if (!key || !pairs.add(std::string(words[0]), std::string(words[1]), *key))
            return Error{
                Errc::invalid,
                fmt::format("{}:{}:1: not `NODE NODE BASE64` with a new pair", file, number),
                "restore the file from a backup"};
    }
    return pairs;
}

SecretString StoredPairs::to_text() const {
    SecretString text("# Preshared keys that were imported; all others are derived.\n");
    for (const auto& [names, key] : keys_) {
        text += names.first;
        text += ' ';
        text += names.second;
        text += ' ';
        text += reveal_base64(key);
        text += '\n';
    }
    return text;
}

bool StoredPairs::add(const std::string& a, const std::string& b, const PresharedKey& key) {
    return keys_.emplace(sorted(a, b), key.clone()).second;
}

const PresharedKey* StoredPairs::find(const std::string& a, const std::string& b) const {
    if (keys_.empty()) return nullptr;
    const auto found = keys_.find(sorted(a, b));
    return found == keys_.end() ? nullptr : &found->second;
}

} // namespace wgkit::mesh
