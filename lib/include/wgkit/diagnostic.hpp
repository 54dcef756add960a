#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "wgkit/export.hpp"

namespace wgkit {

/// A place in a text file. Units: lines and columns count from 1, columns in bytes; 0 is "nowhere".
struct Mark {
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    auto operator<=>(const Mark&) const = default;
};

/// Whether a finding forbids to go on.
enum class Severity { error, warning };

/// A second place that explains a finding, e.g. the other owner of an address.
struct Note {
    std::string file;
    Mark mark;
    std::string message;
};

/// One finding about an input file, in the form good compilers give them. Never holds a secret.
struct Diagnostic {
    Severity severity = Severity::error;
    std::string code; ///< stable name, e.g. "duplicate-address"; listed in the man page
    std::string file;
    Mark mark;
    std::string message; ///< lower case, no full stop
    std::string hint;    ///< the fix; may be empty
    std::vector<Note> notes;
};

/// Findings in the order they were made.
class WGKIT_API Diagnostics {
  public:
    /// Findings added without a file name of their own get this one.
    explicit Diagnostics(std::string file = {});

    /// Adds a finding and returns it for `.hint`/`.notes` to be filled in. The same code and
    /// message at the same place are kept once (a bad default would else be reported for every
    /// node): what is filled in the second time is dropped.
    Diagnostic& error(std::string code, Mark mark, std::string message);
    /// As `error`, for what is no reason to stop.
    Diagnostic& warning(std::string code, Mark mark, std::string message);
    /// Adds the findings of another file, or of another pass.
    void append(const Diagnostics& other);

    /// All findings, in the order in which they were found or sorted.
    const std::vector<Diagnostic>& all() const { return list_; }
    /// Whether nothing was found.
    bool empty() const { return list_.empty(); }
    /// How many findings are errors.
    std::size_t errors() const;
    /// The file that marks are in.
    const std::string& file() const { return file_; }
    /// Sorts by file, line and column.
    void sort();

  private:
    WGKIT_LOCAL Diagnostic& add(Severity severity, std::string code, Mark mark,
                                std::string message);

    std::string file_;
    std::vector<Diagnostic> list_;
    std::unordered_set<std::string> known_; ///< place, code and message of each
    Diagnostic repeated_;                   ///< takes what is said of a finding a second time
};

/// `file:line:col: error: message [code]`, then notes and the hint, a line each. With the text of
/// the file (`source`, may be empty) the line and a caret under the column are shown too; lines
/// that set a key (their name ends in "key") are not shown.
WGKIT_API std::string to_text(const Diagnostic& diagnostic, std::string_view source = {});

} // namespace wgkit
