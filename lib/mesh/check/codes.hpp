#pragma once

#include <span>
#include <string_view>

#include "wgkit/diagnostic.hpp"

/// Every finding that nodes.yaml and its lock can cause, in one place: wgkit-nodes(5) lists them
/// and each has a test that provokes it.
namespace wgkit::mesh {

struct CodeInfo {
    std::string_view code;
    Severity severity;
    std::string_view meaning;
};

/// Sorted by code.
std::span<const CodeInfo> diagnostic_codes();

} // namespace wgkit::mesh
