#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/key.hpp"
#include "config/line.hpp"
#include "wgkit/config.hpp"

namespace wgkit::config {

/// Goes through a file line by line: tracks the section, hands fields on, and keeps comments until
/// it is clear what they belong to. Findings go to `diagnostics`; nothing stops it.
class Parser {
  public:
    Parser(Options options, Config& config, Diagnostics& diagnostics)
        : options_(options), config_(config), diagnostics_(diagnostics) {}

    void read(const Line& line);
    /// Call after the last line.
    void finish();

  private:
    void header(const Line& line);
    void field(const Line& line);
    /// Whether the key may stand here; reports why not.
    const KeyInfo* key_of(const Line& line);
    void unknown_key(const Line& line);
    /// Comments above this line and, unless `beside` is null, on it.
    Comments comments_for(const Line& line, const KeyInfo& key);
    std::vector<std::string> take_pending();
    /// Gives the first `count` pending comments to the end of what precedes.
    void comments_to_end(std::size_t count);
    SectionComments& section_comments();

    Options options_;
    Config& config_;
    Diagnostics& diagnostics_;

    Section section_ = Section::none;
    bool quick_sees_section_ = false; ///< wg-quick knows `[Interface]`, not `[ Interface ]`
    bool has_fields_ = false;         ///< of the current section
    std::vector<std::string> pending_;
    std::size_t before_blank_ = 0; ///< how many of them a blank line separates from what follows
};

} // namespace wgkit::config
