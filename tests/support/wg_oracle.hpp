#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "util/unique_fd.hpp"
#include "wgkit/result.hpp"

namespace wgkit::test {

/// What the real wg made of a file.
struct Verdict {
    bool accepted = false;
    std::string request; ///< the `set=1...` text it sent, with its empty last line
    std::string errors;  ///< its stderr
};

/// Runs the real `wg` against a configuration socket of our own, so that its parser can be watched
/// without a WireGuard device. Lives in mount and network namespaces of its own: nothing is left
/// behind, no name server is reached.
class WgOracle {
  public:
    /// Moves the whole process into the namespaces. Errors: no right to make them, no wg.
    static Result<WgOracle> open();
    ~WgOracle();
    WgOracle(WgOracle&&) = default;

    /// Runs `wg COMMAND IF FILE` with the text as FILE; COMMAND is setconf, addconf or syncconf.
    Verdict run(const std::string& command, std::string_view text);
    /// Runs `wg-quick strip FILE`; `accepted` and `request` (its stdout) only.
    Verdict strip(std::string_view text);
    /// E.g. 20210914 of "wireguard-tools v1.0.20210914".
    long version();

  private:
    explicit WgOracle(UniqueFd listener) : listener_(std::move(listener)) {}
    void answer(Verdict& verdict);
    void write_file(std::string_view text);
    Verdict finish(std::vector<std::string> command, bool listen);

    UniqueFd listener_;
};

} // namespace wgkit::test
