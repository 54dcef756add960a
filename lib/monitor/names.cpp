#include "util/ascii.hpp"
#include "wgkit/monitor.hpp"

namespace wgkit::monitor {

namespace {

/// The name in a comment: what follows `friendly_name =` or `Name =`, or else its only word.
std::string_view name_in(std::string_view comment) {
    comment = ascii::trim(comment);
    const std::size_t equals = comment.find('=');
    if (equals == std::string_view::npos)
        return comment.find(' ') == std::string_view::npos ? comment : std::string_view();
    const std::string_view key = ascii::trim(comment.substr(0, equals));
    if (!ascii::iequals(key, "friendly_name") && !ascii::iequals(key, "name")) return {};
    return ascii::trim(comment.substr(equals + 1));
}

} // namespace

std::map<PublicKey, std::string> names_in_config(std::string_view text) {
    std::map<PublicKey, std::string> names;
    std::string name;
    bool in_peer = false;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = ascii::trim(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.starts_with('[')) {
            in_peer = ascii::iequals(line, "[Peer]");
            name.clear();
        } else if (line.starts_with('#') && in_peer) {
            if (const auto found = name_in(line.substr(1)); !found.empty()) name = found;
        } else if (in_peer && !name.empty()) {
            const std::size_t equals = line.find('=');
            if (equals == std::string_view::npos
                || !ascii::iequals(ascii::trim(line.substr(0, equals)), "PublicKey"))
                continue;
            if (const auto key = PublicKey::parse(ascii::trim(line.substr(equals + 1))))
                names[*key] = name;
        }
    }
    return names;
}

} // namespace wgkit::monitor
