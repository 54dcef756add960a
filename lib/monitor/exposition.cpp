#include "monitor/exposition.hpp"

#include <iterator>

namespace wgkit::monitor {

std::string escaped(std::string_view text) {
    if (text.find_first_of("\\\"\n") == text.npos) return std::string(text);
    std::string safe;
    for (const char c : text) {
        if (c == '\\' || c == '"') safe += '\\';
        if (c == '\n')
            safe += "\\n";
        else
            safe += c;
    }
    return safe;
}

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    std::string_view head = name;
    // OpenMetrics names the family without what marks its samples.
    const std::string_view suffix = type == "counter" ? "_total" : type == "info" ? "_info" : "";
    if (open_metrics_ && name.ends_with(suffix)) head.remove_suffix(suffix.size());
    const std::string_view kind = !open_metrics_ && type == "info" ? "gauge" : type;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", head, help, head,
                   kind);
}

void Exposition::end() {
    if (open_metrics_) text_ += "# EOF\n";
    flush();
}

void Exposition::flush() {
    to_(text_);
    text_.clear();
}

} // namespace wgkit::monitor
