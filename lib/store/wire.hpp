#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "store/client.hpp"

/// The gateway's JSON.
namespace wgkit::store::wire {

/// The end of the range of all keys with a prefix: its last byte plus one.
std::string range_end(std::string_view prefix);

/// 64-bit numbers are texts, and 0 is left out.
std::int64_t number(const nlohmann::json& object, const char* name);
/// Errors as an empty value: an answer that is not etcd's.
KeyValue key_value(const nlohmann::json& object);

/// What a refusal says, as an Error. `status`: of HTTP.
Error refusal(std::string_view body, int status);

} // namespace wgkit::store::wire
