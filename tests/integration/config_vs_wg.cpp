// Feeds the same files to wgkit's parser and to the real wg, and compares what each understood.
// Every difference must be listed in tests/vectors/config/differences.json, and still be there.
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>

#include "config/endpoint.hpp"
#include "config/line.hpp"
#include "config/uapi_text.hpp"
#include "config_vs_wg_inputs.hpp"
#include "support/wg_oracle.hpp"
#include "util/ascii.hpp"

namespace {

using namespace wgkit;
using namespace wgkit::config;
using test::Verdict;
using Json = nlohmann::json;

constexpr int skipped = 77;
constexpr unsigned long usual_seed = 20240229;
constexpr unsigned long usual_count = 2500;

struct Difference {
    std::string name;
    std::string code; ///< empty: wgkit accepts what wg rejects
    std::regex line;
    std::string example;
};

class Comparison {
  public:
    Comparison(test::WgOracle& oracle, std::vector<Difference> rejected,
               std::vector<Difference> accepted, std::vector<Difference> quick)
        : oracle_(oracle), rejected_(std::move(rejected)), accepted_(std::move(accepted)),
          quick_(std::move(quick)) {}

    void with_wg(const std::string& text) {
        const auto ours = parse(text, "oracle0.conf", {Dialect::wg});
        compare(text, ours, to_uapi(ours.config, Apply::append), oracle_.run("addconf", text),
                rejected_);
        if (failures_ == 0 && ours.diagnostics.errors() == 0 && !needs_system(text))
            compare(text, ours, to_uapi(ours.config, Apply::replace), oracle_.run("setconf", text),
                    rejected_);
    }
    /// What `wg-quick strip` leaves for wg must be what we read beside wg-quick's own keys.
    void with_wg_quick(const std::string& text) {
        const auto ours = parse(text, "oracle0.conf", {Dialect::wg_quick});
        const auto stripped = oracle_.strip(text);
        const auto verdict =
            stripped.accepted ? oracle_.run("addconf", stripped.request) : stripped;
        compare(text, ours, to_uapi(ours.config, Apply::append), verdict, quick_);
    }
    void canonical_text_means_the_same(const std::string& text) {
        const auto ours = parse(text, "oracle0.conf", {Dialect::wg});
        if (ours.diagnostics.errors() > 0) return;
        const auto again = parse(write(ours.config), "oracle0.conf", {Dialect::wg});
        if (to_uapi(ours.config, Apply::append) != to_uapi(again.config, Apply::append))
            fail("its canonical text means something else", text, {}, ours);
    }
    void every_difference_is_still_there() {
        for (const auto* list : {&rejected_, &accepted_, &quick_})
            for (const auto& known : *list) {
                seen_.clear();
                if (list == &quick_)
                    with_wg_quick(known.example);
                else
                    with_wg(known.example);
                if (seen_.count(known.name) == 1) continue;
                std::printf("FAIL: the listed difference %s has vanished\n", known.name.c_str());
                ++failures_;
            }
    }
    int failures() const { return failures_; }
    std::size_t understood_alike() const { return understood_alike_; }

  private:
    /// Whether an endpoint (not only the last of a peer) is more than an address and a port.
    static bool needs_system(const std::string& text) {
        constexpr std::string_view key = "endpoint=";
        for (const auto& line : squeezed_lines(text)) {
            if (!line.starts_with(key)) continue;
            const auto read = parse_endpoint(std::string_view(line).substr(key.size()));
            if (read && !IpAddress::parse(read->endpoint.host)) return true;
        }
        return false;
    }
    void compare(const std::string& text, const Parsed& ours, std::string_view request,
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
    bool explain_error(const Diagnostic& finding, const std::string& text,
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
    bool explain_acceptance(const std::string& text) {
        bool found = false;
        for (const auto& difference : accepted_)
            for (const auto& line : squeezed_lines(text)) {
                const bool name = difference.name == "unresolved-endpoint";
                if (!std::regex_match(line, difference.line) || (name && !needs_system(text)))
                    continue;
                seen_.insert(difference.name);
                found = true;
            }
        return found;
    }
    static std::vector<std::string> squeezed_lines(const std::string& text) {
        std::vector<std::string> lines;
        for (const auto raw : ascii::split(text, '\n')) {
            auto& line = lines.emplace_back(squeeze(raw.substr(0, raw.find('#'))));
            for (char& c : line) c = ascii::lower(c);
        }
        return lines;
    }
    void fail(const char* what, const std::string& text, const Verdict& theirs, const Parsed& ours,
              std::string_view request = {}) {
        if (++failures_ > 10) return;
        std::printf("FAIL: %s\n--- file\n%s\n--- wg: %s\n%s%s--- wgkit\n", what, text.c_str(),
                    theirs.accepted ? "accepted" : "rejected", theirs.errors.c_str(),
                    theirs.request.c_str());
        for (const auto& finding : ours.diagnostics.all())
            std::printf("%s\n", to_text(finding).c_str());
        std::printf("%.*s\n", static_cast<int>(request.size()), request.data());
    }

    test::WgOracle& oracle_;
    std::vector<Difference> rejected_;
    std::vector<Difference> accepted_;
    std::vector<Difference> quick_;
    std::set<std::string> seen_;
    std::size_t understood_alike_ = 0;
    int failures_ = 0;
};

std::vector<Difference> read_differences(const Json& list, long version) {
    std::vector<Difference> result;
    for (const auto& entry : list)
        if (!entry.contains("before") || version < entry["before"].get<long>())
            result.push_back({entry["name"], entry.value("code", ""),
                              std::regex(entry["line"].get<std::string>()), entry["example"]});
    return result;
}

int missing(const char* what) {
    const bool required = std::getenv("WGKIT_REQUIRE_TOOLS") != nullptr;
    std::printf("%s: %s: install the Debian package wireguard-tools and run as root "
                "(scripts/bootstrap test)\n",
                required ? "FAIL" : "SKIP", what);
    return required ? 1 : skipped;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::puts("usage: wgkit_config_vs_wg DIFFERENCES [SEED COUNT]");
        return 64;
    }
    const auto seed = argc > 3 ? std::stoul(argv[2]) : usual_seed;
    const auto count = argc > 3 ? std::stoul(argv[3]) : usual_count;
    auto oracle = test::WgOracle::open();
    if (!oracle) return missing(oracle.error().message.c_str());
    const long version = oracle->version();
    if (version == 0) return missing("this test needs wg");

    const auto known = Json::parse(std::ifstream(argv[1]));
    Comparison comparison(*oracle, read_differences(known["rejected"], version),
                          read_differences(known["accepted"], version),
                          read_differences(known["wg-quick"], version));
    comparison.every_difference_is_still_there();
    for (const auto& text : test::grammar_table()) comparison.with_wg(text);
    for (const auto& text : test::quick_table()) comparison.with_wg_quick(text);
    for (const auto& text : test::generated(static_cast<unsigned>(seed), count)) {
        comparison.with_wg(text);
        comparison.canonical_text_means_the_same(text);
    }
    std::printf("wg 1.0.%ld: %lu generated files, %zu requests alike, %d failures\n", version,
                count, comparison.understood_alike(), comparison.failures());
    // Too many files that both reject would compare nothing.
    const bool meaningful = comparison.understood_alike() >= count / 4;
    return comparison.failures() == 0 && meaningful ? 0 : 1;
}
