// `wg-quick strip`, whose output scripts rely on.
#include "util/ascii.hpp"
#include "wgkit/interface.hpp"

namespace wgkit {

namespace {

/// bash's `read` takes off only these.
std::string_view trim_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const auto first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_for_wg_quick(std::string_view key) {
    constexpr std::string_view keys[] = {"Address", "DNS",     "MTU",      "Table",     "PreUp",
                                         "PostUp",  "PreDown", "PostDown", "SaveConfig"};
    for (const auto one : keys)
        if (ascii::iequals(one, key)) return true;
    return false;
}

} // namespace

SecretString strip_config(std::string_view text) {
    SecretString out;
    out.reserve(text.size() + 2);
    bool in_interface = false;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = trim_blanks(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        const auto without_comment = line.substr(0, line.find('#'));
        const auto key = ascii::trim(without_comment.substr(0, without_comment.find('=')));
        if (key.starts_with('[')) in_interface = ascii::iequals(key, "[Interface]");
        if (in_interface && is_for_wg_quick(key)) continue;
        for (const char c : line)
            if (c != '\0') out += c; // which bash's variables cannot hold
        out += '\n';
    }
    out += '\n';
    return out;
}

} // namespace wgkit
