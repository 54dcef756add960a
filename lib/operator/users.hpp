#pragma once

#include <string>
#include <string_view>

#include "store/client.hpp"
#include "store/layout.hpp"

/// Users and roles of the store, so that nobody writes what is another's. What they protect is the
/// store's order; what is believed is protected by signatures.
namespace wgkit::agent {

/// Makes root and switches authentication on, unless it is. Errors: permission, system.
Result<void> enable_users(store::Client& anonymous, std::string_view password);

/// A user for those with a join key: reads what is published, writes below the key's id.
Result<void> make_join_user(store::Client& client, const store::Layout& layout,
                            const std::string& key_id, std::string_view password);
/// A user for one node: reads what is published, writes its own hint and its own new keys.
Result<void> make_node_user(store::Client& client, const store::Layout& layout,
                            const std::string& node, std::string_view password);
/// Removes both kinds; nothing if they are not there.
Result<void> remove_user(store::Client& client, const std::string& user);

/// 32 random bytes in base64.
SecretString make_password();

} // namespace wgkit::agent
