#include "support/wg_comparison.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>

#include "config/endpoint.hpp"
#include "config/line.hpp"
#include "util/ascii.hpp"

namespace wgkit::test {

using namespace wgkit::config;
using Json = nlohmann::json;

namespace {

std::vector<std::string> squeezed_lines(const std::string& text) {
    std::vector<std::string> lines;
    for (const auto raw : ascii::split(text, '\n')) {
        auto& line = lines.emplace_back(squeeze(raw.substr(0, raw.find('#'))));
        for (char& c : line) c = ascii::lower(c);
    }
    return lines;
}

/// Whether an endpoint (not only the last of a peer) is more than an address and a port.
bool needs_system(const std::string& text) {
    constexpr std::string_view key = "endpoint=";
    for (const auto& line : squeezed_lines(text)) {
        if (!line.starts_with(key)) continue;
        const auto read = parse_endpoint(std::string_view(line).substr(key.size()));
        if (read && !IpAddress::parse(read->endpoint.host)) return true;
    }
    return false;
}

std::vector<Difference> read_list(const Json& list, long version) {
    std::vector<Difference> result;
    for (const auto& entry : list)
        if (!entry.contains("before") || version < entry["before"].get<long>())
            result.push_back({entry["name"], entry.value("code", ""),
                              std::regex(entry["line"].get<std::string>()), entry["example"]});
    return result;
}

} // namespace

Differences Differences::read(const std::string& path, long version) {
    const auto known = Json::parse(std::ifstream(path));
    return {read_list(known["rejected"], version), read_list(known["accepted"], version),
            read_list(known["wg-quick"], version)};
}

void Comparison::with_wg(const std::string& text) {
    const auto ours = parse(text, "oracle0.conf", {Dialect::wg});
    compare(text, ours, to_uapi(ours.config, Apply::append), oracle_.run("addconf", text),
            known_.rejected);
    if (failures_ == 0 && ours.diagnostics.errors() == 0 && !needs_system(text))
        compare(text, ours, to_uapi(ours.config, Apply::replace), oracle_.run("setconf", text),
                known_.rejected);
}

void Comparison::with_wg_quick(const std::string& text) {
    const auto ours = parse(text, "oracle0.conf", {Dialect::wg_quick});
    const auto stripped = oracle_.strip(text);
    const auto verdict = stripped.accepted ? oracle_.run("addconf", stripped.request) : stripped;
    compare(text, ours, to_uapi(ours.config, Apply::append), verdict, known_.quick);
}

void Comparison::canonical_text_means_the_same(const std::string& text) {
    const auto ours = parse(text, "oracle0.conf", {Dialect::wg});
    if (ours.diagnostics.errors() > 0) return;
    const auto again = parse(write(ours.config), "oracle0.conf", {Dialect::wg});
    if (to_uapi(ours.config, Apply::append) != to_uapi(again.config, Apply::append))
        fail("its canonical text means something else", text, {}, ours);
}

void Comparison::every_difference_is_still_there() {
    for (const auto* list : {&known_.rejected, &known_.accepted, &known_.quick})
        for (const auto& known : *list) {
            seen_.clear();
            if (list == &known_.quick)
                with_wg_quick(known.example);
            else
                with_wg(known.example);
            if (seen_.count(known.name) == 1) continue;
            std::printf("FAIL: the listed difference %s has vanished\n", known.name.c_str());
            ++failures_;
        }
}

void Comparison::compare(const std::string& text, const Parsed& ours, std::string_view request,
                         const Verdict& theirs, const std::vector<Difference>& known) {
    const bool accepted = ours.diagnostics.errors() == 0;
    if (accepted && theirs.accepted) {
        const bool same = theirs.request == request;
        if (same)
            ++understood_alike_;
        else if (!needs_system(text))
            fail("wg understands something else", text, theirs, ours, request);
    } else if (theirs.accepted) {
        for (const auto& finding : ours.diagnostics.all())
            if (finding.severity == Severity::error && !explain_error(finding, text, known))
                return fail("only wg accepts it", text, theirs, ours);
    } else if (accepted && !explain_acceptance(text)) {
        fail("only wgkit accepts it", text, theirs, ours);
    }
}

bool Comparison::explain_error(const Diagnostic& finding, const std::string& text,
                               const std::vector<Difference>& known) {
    const auto line = squeezed_lines(text)[finding.mark.line - 1];
    bool found = false;
    for (const auto& difference : known)
        if (difference.code == finding.code && std::regex_match(line, difference.line)) {
            seen_.insert(difference.name);
            found = true;
        }
    return found;
}

bool Comparison::explain_acceptance(const std::string& text) {
    bool found = false;
    for (const auto& difference : known_.accepted)
        for (const auto& line : squeezed_lines(text)) {
            const bool name = difference.name == "unresolved-endpoint";
            if (!std::regex_match(line, difference.line) || (name && !needs_system(text))) continue;
            seen_.insert(difference.name);
            found = true;
        }
    return found;
}

void Comparison::fail(const char* what, const std::string& text, const Verdict& theirs,
                      const Parsed& ours, std::string_view request) {
    if (++failures_ > 10) return;
    std::printf("FAIL: %s\n--- file\n%s\n--- wg: %s\n%s%s--- wgkit\n", what, text.c_str(),
                theirs.accepted ? "accepted" : "rejected", theirs.errors.c_str(),
                theirs.request.c_str());
    for (const auto& finding : ours.diagnostics.all())
        std::printf("%s\n", to_text(finding).c_str());
    std::printf("%.*s\n", static_cast<int>(request.size()), request.data());
}

} // namespace wgkit::test
