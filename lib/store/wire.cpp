#include "store/wire.hpp"

#include <fmt/format.h>

#include "trust/signing.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"

namespace wgkit::store::wire {

std::string range_end(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
    if (end.empty()) return std::string(1, '\0'); // to the end of all keys
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

std::int64_t number(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return 0;
    if (found->is_number_integer()) return found->get<std::int64_t>();
    const auto* text = found->get_ptr<const std::string*>();
    return text == nullptr
               ? 0
               : static_cast<std::int64_t>(ascii::to_number(*text, INT64_MAX).value_or(0));
}

KeyValue key_value(const nlohmann::json& object) {
    const auto bytes = [&](const char* name) {
        const auto found = object.find(name);
        const auto* text = found != object.end() ? found->get_ptr<const std::string*>() : nullptr;
        return text == nullptr ? std::string() : trust::from_base64(*text).value_or(std::string());
    };
    KeyValue value;
    if (!object.is_object()) return value;
    value.key = bytes("key");
    value.value = bytes("value");
    value.create_revision = number(object, "create_revision");
    value.mod_revision = number(object, "mod_revision");
    return value;
}

Error refusal(std::string_view body, int status) {
    const auto json = json_text::parse(body);
    std::string text;
    if (json.is_object())
        for (const char* name : {"message", "error"})
            if (const auto found = json.find(name); found != json.end() && found->is_string())
                text = found->get<std::string>();
    const auto says = [&](std::string_view part) { return text.find(part) != text.npos; };
    if (text.empty()) return {Errc::system, fmt::format("the store answered {}", status), {}};
    const auto code = says("permission denied") || says("authentication failed")
                              || says("invalid auth token") || says("user name is empty")
                          ? Errc::permission
                      : says("already exists") || says("already granted") ? Errc::exists
                      : says("not found") || says("not exist")            ? Errc::not_found
                                                                          : Errc::system;
    return {code, fmt::format("the store: {}", text), {}};
}

} // namespace wgkit::store::wire
