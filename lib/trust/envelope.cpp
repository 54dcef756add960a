#include "trust/envelope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "util/json_text.hpp"

namespace wgkit::trust {

namespace {

Error no_envelope(std::string_view why) {
    return {Errc::invalid, fmt::format("not a signed document: {}", why), {}};
}

const std::string* text_field(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() ? found->get_ptr<const std::string*>() : nullptr;
}

} // namespace

std::string signed_bytes(std::string_view type, std::string_view payload) {
    return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

Envelope seal_document(std::string type, std::string payload,
                       std::span<const SigningKey* const> keys) {
    Envelope envelope{std::move(type), std::move(payload), {}};
    const std::string bytes = signed_bytes(envelope.type, envelope.payload);
    for (const SigningKey* key : keys)
        envelope.signatures.push_back({key_id(verify_key(*key)), sign(*key, bytes)});
    return envelope;
}

std::string to_text(const Envelope& envelope) {
    auto signatures = nlohmann::json::array();
    for (const auto& one : envelope.signatures)
        signatures.push_back(
            {{"keyid", one.key_id},
             {"sig", to_base64({reinterpret_cast<const char*>(one.signature.data()),
                                one.signature.size()})}});
    return json_text::dump(nlohmann::json{{"payloadType", envelope.type},
                                          {"payload", to_base64(envelope.payload)},
                                          {"signatures", std::move(signatures)}});
}

Result<Envelope> parse_envelope(std::string_view text) {
    if (text.size() > max_envelope_bytes) return no_envelope("it is larger than 4 MiB");
    const auto json = json_text::parse(text);
    if (!json.is_object()) return no_envelope("no JSON object");
    const auto* type = text_field(json, "payloadType");
    const auto* payload = text_field(json, "payload");
    const auto signatures = json.find("signatures");
    if (type == nullptr || payload == nullptr || signatures == json.end()
        || !signatures->is_array())
        return no_envelope("payloadType, payload or signatures is missing");
    if (signatures->size() > max_signatures) return no_envelope("more than 32 signatures");
    auto bytes = from_base64(*payload);
    if (!bytes) return no_envelope("its payload is not base64");
    Envelope envelope{*type, *std::move(bytes), {}};
    for (const auto& one : *signatures) {
        const auto* sig = one.is_object() ? text_field(one, "sig") : nullptr;
        const auto raw = sig != nullptr ? from_base64(*sig) : Result<std::string>(std::string());
        EnvelopeSignature signature;
        if (!raw || raw->size() != signature.signature.size())
            return no_envelope("a signature is not 64 bytes of base64");
        std::copy(raw->begin(), raw->end(), signature.signature.begin());
        if (const auto* id = text_field(one, "keyid")) signature.key_id = *id;
        envelope.signatures.push_back(std::move(signature));
    }
    return envelope;
}

std::size_t signers(const Envelope& envelope, std::span<const VerifyKey> keys) {
    const std::string bytes = signed_bytes(envelope.type, envelope.payload);
    std::set<VerifyKey> found;
    for (const auto& key : keys) {
        const std::string id = key_id(key);
        for (const auto& one : envelope.signatures)
            if ((one.key_id.empty() || one.key_id == id) && !found.contains(key)
                && verify(key, bytes, one.signature))
                found.insert(key);
    }
    return found.size();
}

} // namespace wgkit::trust
