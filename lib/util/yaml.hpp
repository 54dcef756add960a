#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wgkit/diagnostic.hpp"

/// YAML as a plain tree with a mark on every value; yaml-cpp stays behind it.
namespace wgkit::yaml {

enum class Kind { null, scalar, sequence, map };

struct Member;

struct Value {
    Kind kind = Kind::null;
    Mark mark;
    std::string scalar;
    std::vector<Value> items;    ///< of a sequence
    std::vector<Member> members; ///< of a map, in the order of the file, keys unique

    /// The value under a key of a map, or nullptr.
    const Value* find(std::string_view key) const;
};

struct Member {
    std::string key;
    Mark key_mark;
    Value value;
};

/// Reads one document. What YAML libraries let pass is found here: duplicate keys
/// (duplicate-yaml-key), keys that are not scalars, a second document, and aliases that would
/// expand to more than a million values (alias-budget). Errors: added to `diagnostics`, the tree
/// then is incomplete.
Value parse(std::string_view text, Diagnostics& diagnostics);

/// The text as a YAML scalar, double-quoted unless it is plainly safe in block and flow context.
std::string quote(std::string_view text);

/// "a mapping", "a list", "text" or "nothing", for messages.
std::string_view describe(Kind kind);

} // namespace wgkit::yaml
