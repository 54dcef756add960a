#include "file.hpp"

#include <algorithm>

#include "wgkit/files.hpp"

namespace wgkit::tool::config {

void add_inputs(Arguments app, Inputs& inputs) {
    app.add_option("file", inputs.files, "Configuration files; - is standard input")
        .type_name("FILE")
        .required();
    app.add_option("--dialect", inputs.dialect,
                   "Whose rules hold: wg-quick, whose files may set more, or wg")
        .choices({"wg-quick", "wg"})
        .type_name("NAME");
}

Diagnostics File::errors() const {
    Diagnostics errors(diagnostics.file());
    for (const auto& finding : diagnostics.all()) {
        if (finding.severity != Severity::error) continue;
        auto& copy = errors.error(finding.code, finding.mark, finding.message);
        copy.hint = finding.hint;
        copy.notes = finding.notes;
    }
    return errors;
}

std::optional<File> load(const std::string& path, const Inputs& inputs, const Report& report) {
    auto text = files::read(path);
    if (!text) {
        report.error(text.error());
        return std::nullopt;
    }
    wgkit::config::Options options;
    if (inputs.dialect == "wg") options.dialect = wgkit::config::Dialect::wg;
    auto parsed = wgkit::config::parse(*text, path == "-" ? "<stdin>" : path, options);
    return File{path, std::move(*text), std::move(parsed.config), std::move(parsed.diagnostics)};
}

namespace {

bool in_key(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+'
           || c == '/' || c == '=';
}

/// Appends the text with "(hidden)" for every run of characters that is as long as a key.
template <class Text>
void append_hidden(Text& out, std::string_view text) {
    constexpr std::size_t shortest = 40; // a key has 44, or 64 in hexadecimal
    while (!text.empty()) {
        const auto end = std::find_if_not(text.begin(), text.end(), in_key);
        const auto run = static_cast<std::size_t>(end - text.begin());
        out += run >= shortest ? hidden : text.substr(0, run);
        text.remove_prefix(run);
        if (text.empty()) break;
        out += text.front();
        text.remove_prefix(1);
    }
}

} // namespace

SecretString hide_keys(const SecretString& canonical) {
    constexpr std::string_view public_key = "PublicKey = ";
    SecretString out;
    out.reserve(canonical.size());
    std::string_view rest = canonical;
    while (!rest.empty()) {
        const auto end = rest.find('\n') + 1; // the canonical text ends with a line feed
        auto line = rest.substr(0, end);
        rest.remove_prefix(end);
        if (line.starts_with(public_key)) {
            const auto shown = public_key.size() + key_base64_length;
            out += line.substr(0, shown);
            line.remove_prefix(shown);
        }
        append_hidden(out, line);
    }
    return out;
}

std::string hide_keys_in(const std::string& text) {
    std::string out;
    append_hidden(out, text);
    return out;
}

} // namespace wgkit::tool::config
