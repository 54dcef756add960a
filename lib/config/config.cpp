#include "wgkit/config.hpp"

#include "config/check.hpp"
#include "config/parser.hpp"
#include "util/ascii.hpp"

namespace wgkit::config {

namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";

/// Reports what no text editor for plain text writes. False: it makes no sense to read on.
bool check_encoding(std::string_view text, Diagnostics& diagnostics) {
    const Mark start{1, 1};
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        diagnostics.error("encoding", start, "file is UTF-16, not plain text").hint =
            "save it as UTF-8 without a byte order mark";
        return false;
    }
    if (text.starts_with(utf8_mark))
        diagnostics.error("encoding", start, "file begins with a byte order mark, which wg rejects")
            .hint = "save it as UTF-8 without a byte order mark";
    return true;
}

} // namespace

const Origin* Origins::find(Key key, std::size_t index) const {
    const auto found = map_.find({key, index});
    return found == map_.end() ? nullptr : &found->second;
}

Mark Origins::mark(Key key, std::size_t index) const {
    const auto* origin = find(key, index);
    return origin == nullptr ? Mark{} : origin->mark;
}

Parsed parse(std::string_view text, std::string file, Options options) {
    Parsed parsed{{}, Diagnostics(std::move(file))};
    auto& diagnostics = parsed.diagnostics;
    if (!check_encoding(text, diagnostics)) return parsed;
    if (text.starts_with(utf8_mark)) text.remove_prefix(utf8_mark.size());

    Parser parser(options, parsed.config, diagnostics);
    for (std::uint32_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto raw = text.substr(0, end);
        const auto nul = raw.find('\0');
        if (nul != std::string_view::npos)
            diagnostics
                .error("encoding", {number, static_cast<std::uint32_t>(nul) + 1},
                       "line holds a NUL byte")
                .hint = "wg would ignore the rest of the line";
        parser.read(read_line(raw.substr(0, nul), number));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    parser.finish();
    check(parsed.config, options, diagnostics);
    diagnostics.sort();
    return parsed;
}

} // namespace wgkit::config
