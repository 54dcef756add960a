#pragma once

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "config/uapi_text.hpp"
#include "support/wg_oracle.hpp"
#include "wgkit/config.hpp"

namespace wgkit::test {

/// One deliberate difference between our parser and wg's; see
/// tests/vectors/config/differences.json.
struct Difference {
    std::string name;
    std::string code; ///< empty: wgkit accepts what wg rejects
    std::regex line;
    std::string example;
};

struct Differences {
    std::vector<Difference> rejected;
    std::vector<Difference> accepted;
    std::vector<Difference> quick;

    /// Those that hold for this version of wg, e.g. 20210914.
    static Differences read(const std::string& path, long version);
};

/// Feeds texts to wgkit's parser and to the real wg, and compares what each understood. What is not
/// one of the listed differences is printed and counted as a failure.
class Comparison {
  public:
    Comparison(WgOracle& oracle, Differences known) : oracle_(oracle), known_(std::move(known)) {}

    void with_wg(const std::string& text);
    /// What `wg-quick strip` leaves for wg must be what we read beside wg-quick's own keys.
    void with_wg_quick(const std::string& text);
    void canonical_text_means_the_same(const std::string& text);
    void every_difference_is_still_there();

    int failures() const { return failures_; }
    std::size_t understood_alike() const { return understood_alike_; }

  private:
    void compare(const std::string& text, const config::Parsed& ours, std::string_view request,
                 const Verdict& theirs, const std::vector<Difference>& known);
    bool explain_error(const Diagnostic& finding, const std::string& text,
                       const std::vector<Difference>& known);
    bool explain_acceptance(const std::string& text);
    void fail(const char* what, const std::string& text, const Verdict& theirs,
              const config::Parsed& ours, std::string_view request = {});

    WgOracle& oracle_;
    Differences known_;
    std::set<std::string> seen_;
    std::size_t understood_alike_ = 0;
    int failures_ = 0;
};

} // namespace wgkit::test
