#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"
#include "wgkit/rotate.hpp"

/// Offers and the state of a rotation as JSON, schema 1: wgkit-net(8) has the members. No secrets.
namespace wgkit::tool::net {

Json to_json(const rotate::Offer& offer);

/// One offer, or an array of them. `from` names the text in errors. Errors: invalid.
Result<std::vector<rotate::Offer>> parse_offers(std::string_view text, const std::string& from);

Json to_json(const std::string& interface, const std::optional<rotate::Status>& status);

} // namespace wgkit::tool::net
