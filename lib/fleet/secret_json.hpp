#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wgkit/secret.hpp"

namespace wgkit::fleet {

/// JSON whose strings are wiped.
using SecretJson = nlohmann::basic_json<std::map, std::vector, SecretString>;

inline SecretString secret(std::string_view text) { return SecretString(text); }
inline std::string plain(const SecretString& text) { return std::string(text.begin(), text.end()); }

/// Reads fields of an object that may lack them or have them in another type.
class Fields {
  public:
    explicit Fields(const SecretJson& object) : object_(object) {}

    const SecretJson* find(const char* name) const {
        if (!object_.is_object()) return nullptr;
        const auto found = object_.find(name);
        return found == object_.end() ? nullptr : &*found;
    }
    SecretString secret(const char* name) const {
        const auto* value = find(name);
        return value != nullptr && value->is_string() ? value->get_ref<const SecretString&>()
                                                      : SecretString();
    }
    std::string text(const char* name) const { return plain(secret(name)); }
    std::int64_t number(const char* name) const {
        const auto* value = find(name);
        return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
    }
    bool flag(const char* name) const {
        const auto* value = find(name);
        return value != nullptr && value->is_boolean() && value->get<bool>();
    }
    /// Calls `take` for each element of a list.
    template <class Take>
    void each(const char* name, Take&& take) const {
        const auto* value = find(name);
        if (value == nullptr || !value->is_array()) return;
        for (const auto& element : *value) take(element);
    }

  private:
    const SecretJson& object_;
};

} // namespace wgkit::fleet
