#pragma once

#include "common/json.hpp"
#include "file.hpp"

namespace wgkit::tool::config {

/// {"schema": 1, "files": [{"file", "comments", "interface", "peers"}]}, described in the man page.
/// Private and preshared keys read "(hidden)" unless `show_secrets`.
SecretString to_json(const std::vector<File>& files, bool show_secrets);

} // namespace wgkit::tool::config
