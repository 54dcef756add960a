#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

namespace wgkit::mesh {

/// Preshared keys that were imported and cannot be derived, by the names of both nodes, sorted.
class StoredPairs {
  public:
    /// Lines `NODE NODE BASE64`. Errors: names the line, never its content.
    static Result<StoredPairs> parse(std::string_view text, const std::string& file);
    SecretString to_text() const;

    /// Keeps the first key of a pair; false if another one was there.
    bool add(const std::string& a, const std::string& b, const PresharedKey& key);
    const PresharedKey* find(const std::string& a, const std::string& b) const;
    std::size_t size() const { return keys_.size(); }
    /// Enters the keys of one node under another name, too.
    void copy_node(const std::string& from, const std::string& to);
    /// Drops the pairs that `unwanted(a, b)` names.
    void erase_if(const std::function<bool(const std::string&, const std::string&)>& unwanted);

  private:
    std::map<std::pair<std::string, std::string>, PresharedKey> keys_;
};

} // namespace wgkit::mesh
