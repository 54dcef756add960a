#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/json_text.hpp"
#include "wgkit/result.hpp"

namespace wgkit::trust {

/// Reads fields of a JSON object and keeps the first thing that is wrong, so that readers are
/// straight lines. Ignores fields that it is not asked for: later versions add some.
class JsonFields {
  public:
    JsonFields(std::string_view text, std::string_view what)
        : json_(json_text::parse(text)), what_(what) {
        if (!json_.is_object()) fail("no JSON object");
    }
    /// A part of something that was read already.
    static JsonFields of(const nlohmann::json* part, std::string_view what) {
        JsonFields fields("{}", what);
        if (part != nullptr && part->is_object())
            fields.json_ = *part;
        else
            fields.fail("no JSON object");
        return fields;
    }

    const nlohmann::json* find(const char* name) const {
        if (!json_.is_object()) return nullptr;
        const auto found = json_.find(name);
        return found != json_.end() ? &*found : nullptr;
    }

    std::string text(const char* name) {
        const auto* value = find(name);
        if (value != nullptr && value->is_string()) return value->get<std::string>();
        fail(fmt::format("'{}' is no text", name));
        return {};
    }
    std::uint64_t number(const char* name) {
        const auto* value = find(name);
        if (value != nullptr && value->is_number_unsigned()) return value->get<std::uint64_t>();
        fail(fmt::format("'{}' is no number", name));
        return 0;
    }
    std::uint32_t small_number(const char* name) {
        const auto value = number(name);
        if (value > UINT32_MAX) fail(fmt::format("'{}' is too large", name));
        return static_cast<std::uint32_t>(value);
    }
    std::int64_t time(const char* name) {
        const auto value = number(name);
        if (value > INT64_MAX) fail(fmt::format("'{}' is no time", name));
        return static_cast<std::int64_t>(value);
    }
    std::vector<std::string> texts(const char* name) {
        std::vector<std::string> out;
        const auto* value = find(name);
        if (value == nullptr || !value->is_array()) {
            fail(fmt::format("'{}' is no list", name));
            return out;
        }
        for (const auto& one : *value) {
            if (!one.is_string()) fail(fmt::format("'{}' holds something else than text", name));
            out.push_back(one.is_string() ? one.get<std::string>() : std::string());
        }
        return out;
    }
    /// A value with `T::parse`, or anything else that returns a Result.
    template <class Parse>
    auto parsed(const char* name, Parse&& parse) -> typename decltype(parse(""))::value_type {
        return take(name, parse(text(name)));
    }
    template <class Parse>
    auto optional(const char* name, Parse&& parse)
        -> std::optional<typename decltype(parse(""))::value_type> {
        if (find(name) == nullptr) return std::nullopt;
        return parsed(name, parse);
    }
    template <class Parse>
    auto list(const char* name, Parse&& parse)
        -> std::vector<typename decltype(parse(""))::value_type> {
        std::vector<typename decltype(parse(""))::value_type> out;
        for (const auto& one : texts(name)) out.push_back(take(name, parse(one)));
        return out;
    }

    void fail(std::string_view why) {
        if (!error_) error_ = Error{Errc::invalid, fmt::format("{}: {}", what_, why), {}};
    }

    /// The finished value, or what was wrong.
    template <class T>
    Result<T> finish(T value) {
        if (error_) return *error_;
        return value;
    }

  private:
    template <class T>
    T take(const char* name, Result<T> result) {
        if (result) return *std::move(result);
        fail(fmt::format("'{}': {}", name, result.error().message));
        return T{};
    }

    nlohmann::json json_;
    std::string what_;
    std::optional<Error> error_;
};

} // namespace wgkit::trust
