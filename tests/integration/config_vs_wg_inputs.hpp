#pragma once

#include <string>
#include <vector>

namespace wgkit::test {

/// Files that show one rule of wg's grammar each.
std::vector<std::string> grammar_table();
/// Files for wg-quick that show one of its own rules each.
std::vector<std::string> quick_table();
/// The same `count` files for the same seed: lines from a dictionary, and valid files with a few
/// bytes changed.
std::vector<std::string> generated(unsigned seed, std::size_t count);

} // namespace wgkit::test
