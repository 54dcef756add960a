#pragma once

#include <string>
#include <utility>

#include "common/json.hpp"
#include "wgkit/host.hpp"

/// Steps of a host in a plan.
namespace wgkit::tool::net {

/// '+', '-' or '~', and what comes, goes or changes.
std::pair<char, std::string> to_words(const HostStep& step);

/// {"change": "add-address", "address": ...}: wgkit-net(8) has the members.
Json to_json(const HostStep& step);

} // namespace wgkit::tool::net
