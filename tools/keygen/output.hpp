#pragma once

#include <vector>

#include "wgkit/key_files.hpp"
#include "wgkit/secret.hpp"

/// What wgkit-keygen prints about sets of keys, in memory that is wiped.
namespace wgkit::tool {

/// One line of a set as text, one member of it as JSON.
struct Field {
    const char* label;
    const char* member;
    SecretString value;
};
using Fields = std::vector<Field>;

/// The keys themselves.
Fields fields_of(const KeySet& keys);
/// Where the keys were written: no secret.
Fields fields_of(const KeyFiles& files);

/// `label: value` lines; an empty line between sets.
SecretString to_text(const std::vector<Fields>& sets);
/// {"schema": 1, "keys": [{member: value, ...}, ...]}
SecretString to_json(const std::vector<Fields>& sets);

} // namespace wgkit::tool
