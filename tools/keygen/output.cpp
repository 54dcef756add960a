#include "keygen/output.hpp"

#include <algorithm>

#include "util/json_text.hpp"

namespace wgkit::tool {

Fields fields_of(const KeySet& keys) {
    Fields fields;
    fields.push_back({"private key", "privateKey", reveal_base64(keys.private_key)});
    fields.push_back({"public key", "publicKey", SecretString(to_string(keys.public_key))});
    if (keys.preshared_key)
        fields.push_back({"preshared key", "presharedKey", reveal_base64(*keys.preshared_key)});
    return fields;
}

Fields fields_of(const KeyFiles& files) {
    Fields fields;
    fields.push_back({"name", "name", SecretString(files.name)});
    fields.push_back({"private key file", "privateKeyFile", SecretString(files.private_key_path)});
    fields.push_back({"public key file", "publicKeyFile", SecretString(files.public_key_path)});
    if (!files.preshared_key_path.empty())
        fields.push_back(
            {"preshared key file", "presharedKeyFile", SecretString(files.preshared_key_path)});
    fields.push_back({"public key", "publicKey", SecretString(to_string(files.public_key))});
    return fields;
}

namespace {

/// Base64 goes in as it is, without a copy in a string that nobody wipes; paths may need escapes.
SecretString json_string(const SecretString& value) {
    const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
        return c >= ' ' && c <= '~' && c != '"' && c != '\\';
    });
    if (plain) return SecretString("\"").append(value).append("\"");
    const nlohmann::json json = std::string(value);
    return SecretString(json_text::dump(json));
}

} // namespace

SecretString to_text(const std::vector<Fields>& sets) {
    SecretString text;
    for (const auto& set : sets) {
        if (!text.empty()) text += '\n';
        for (const auto& field : set)
            text.append(field.label).append(": ").append(field.value).append("\n");
    }
    return text;
}

SecretString to_json(const std::vector<Fields>& sets) {
    SecretString text("{\n  \"schema\": 1,\n  \"keys\": [");
    for (const auto& set : sets) {
        text.append(&set == &sets.front() ? "\n    {" : ",\n    {");
        for (const auto& field : set)
            text.append(&field == &set.front() ? "\n      \"" : ",\n      \"")
                .append(field.member)
                .append("\": ")
                .append(json_string(field.value));
        text.append("\n    }");
    }
    return text.append("\n  ]\n}\n");
}

} // namespace wgkit::tool
