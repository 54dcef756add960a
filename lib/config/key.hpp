#pragma once

#include <span>
#include <string_view>

#include "wgkit/config.hpp"

/// The table of keys: which section they belong to and who reads them.
namespace wgkit::config {

enum class Section { none, interface, peer, unknown };

struct KeyInfo {
    Key key;
    std::string_view name;
    Section section;
    bool quick_only; ///< read by wg-quick, unknown to wg
    bool list;       ///< repeated lines add up; else the last line wins
};

/// Every key, in the order of `Key`.
std::span<const KeyInfo> all_keys();
const KeyInfo& info(Key key);
/// The key of that name, whatever its case; null if there is none.
const KeyInfo* find_key(std::string_view name);
/// Whether the value is a command for a shell (PreUp, PostUp, PreDown, PostDown).
bool is_hook(Key key);

} // namespace wgkit::config
