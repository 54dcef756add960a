#include "monitor/plugin_text.hpp"

namespace wgkit::monitor {

std::string plugin_safe(std::string_view text) {
    std::string safe(text);
    for (char& c : safe)
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '|') c = '?';
    return safe;
}

std::string_view plugin_word(Level level) {
    switch (level) {
    case Level::ok:
        return "OK";
    case Level::warning:
        return "WARNING";
    case Level::critical:
        return "CRITICAL";
    case Level::unknown:
        break;
    }
    return "UNKNOWN";
}

} // namespace wgkit::monitor
