// Requests and answers as JSON. Fields that are absent or empty are left out.
#include <fmt/format.h>

#include "fleet/secret_json.hpp"
#include "wgkit/fleet.hpp"

namespace wgkit::fleet {

namespace {

template <class List>
SecretJson list_of(const List& values) {
    SecretJson list = SecretJson::array();
    for (const auto& value : values) {
        if constexpr (std::is_same_v<typename List::value_type, std::string>)
            list.push_back(secret(value));
        else
            list.push_back(secret(to_string(value)));
    }
    return list;
}

std::vector<std::string> texts_of(const Fields& fields, const char* name) {
    std::vector<std::string> out;
    fields.each(name, [&](const SecretJson& value) {
        if (value.is_string()) out.push_back(plain(value.get_ref<const SecretString&>()));
    });
    return out;
}

std::vector<PublicKey> keys_of(const Fields& fields, const char* name) {
    std::vector<PublicKey> out;
    for (const auto& text : texts_of(fields, name))
        if (auto key = PublicKey::parse(text)) out.push_back(*key);
    return out;
}

constexpr std::pair<const char*, Errc> error_codes[] = {
    {"invalid", Errc::invalid},       {"not-found", Errc::not_found}, {"exists", Errc::exists},
    {"permission", Errc::permission}, {"conflict", Errc::conflict},   {"system", Errc::system}};

SecretJson error_json(const Error& error) {
    const char* name = "system";
    for (const auto& [word, code] : error_codes)
        if (code == error.code) name = word;
    return {
        {"code", secret(name)}, {"message", secret(error.message)}, {"hint", secret(error.hint)}};
}

Error error_of(const Fields& fields) {
    Error error{Errc::system, fields.text("message"), fields.text("hint")};
    for (const auto& [word, code] : error_codes)
        if (fields.text("code") == word) error.code = code;
    return error;
}

SecretJson peer_json(const NodePeer& peer) {
    return {{"publicKey", secret(to_string(peer.key))},
            {"endpoint", secret(peer.endpoint)},
            {"latestHandshake", peer.handshake},
            {"transferRx", peer.received},
            {"transferTx", peer.sent},
            {"allowedIps", list_of(peer.allowed_ips)}};
}

std::optional<NodePeer> peer_of(const Fields& fields) {
    auto key = PublicKey::parse(fields.text("publicKey"));
    if (!key) return std::nullopt;
    NodePeer peer;
    peer.key = *key;
    peer.endpoint = fields.text("endpoint");
    peer.handshake = fields.number("latestHandshake");
    peer.received = static_cast<std::uint64_t>(fields.number("transferRx"));
    peer.sent = static_cast<std::uint64_t>(fields.number("transferTx"));
    for (const auto& text : texts_of(fields, "allowedIps"))
        if (auto prefix = Prefix::parse(text)) peer.allowed_ips.push_back(*prefix);
    return peer;
}

SecretJson interface_json(const NodeInterface& one) {
    SecretJson peers = SecretJson::array();
    for (const auto& peer : one.peers) peers.push_back(peer_json(peer));
    SecretJson json{{"name", secret(one.name)}, {"hasFile", one.has_file},
                    {"isUp", one.is_up},        {"port", one.port},
                    {"drift", one.drift},       {"stateHash", secret(one.state_hash)},
                    {"peers", std::move(peers)}};
    if (one.key) json["publicKey"] = secret(to_string(*one.key));
    if (!one.config.empty()) json["config"] = one.config;
    if (!one.file_changes.empty()) json["fileChanges"] = list_of(one.file_changes);
    if (!one.device_changes.empty()) json["deviceChanges"] = secret(one.device_changes);
    if (one.can_go_back) json["canGoBack"] = true;
    if (one.pending) json["pending"] = one.pending->count();
    return json;
}

NodeInterface interface_of(const Fields& fields) {
    NodeInterface one;
    one.name = fields.text("name");
    one.has_file = fields.flag("hasFile");
    one.is_up = fields.flag("isUp");
    one.port = static_cast<std::uint16_t>(fields.number("port"));
    one.drift = static_cast<std::size_t>(fields.number("drift"));
    one.state_hash = fields.text("stateHash");
    one.config = fields.secret("config");
    one.file_changes = texts_of(fields, "fileChanges");
    one.device_changes = fields.text("deviceChanges");
    if (auto key = PublicKey::parse(fields.text("publicKey"))) one.key = *key;
    one.can_go_back = fields.flag("canGoBack");
    if (fields.find("pending") != nullptr)
        one.pending = std::chrono::seconds(fields.number("pending"));
    fields.each("peers", [&](const SecretJson& json) {
        if (auto peer = peer_of(Fields(json))) one.peers.push_back(std::move(*peer));
    });
    return one;
}

/// The document, if it is one and of our protocol.
Result<SecretJson> parse(std::string_view text, const char* what) {
    auto json = SecretJson::parse(text.begin(), text.end(), nullptr, false);
    if (!json.is_object())
        return Error{Errc::invalid, fmt::format("{} is no JSON object", what), {}};
    const auto version = Fields(json).number("protocol");
    if (version != protocol_version)
        return Error{Errc::conflict,
                     fmt::format("{} is of protocol {}, but this wgkit speaks {}", what, version,
                                 protocol_version),
                     "bring both to one version: `wgkit fleet bootstrap`"};
    return json;
}

} // namespace

SecretString to_text(const NodeRequest& request) {
    SecretJson files = SecretJson::array();
    for (const auto& file : request.files)
        files.push_back({{"interface", secret(file.interface)},
                         {"config", file.config},
                         {"settings", secret(file.settings)},
                         {"stateHash", secret(file.state_hash)}});
    SecretJson json{{"protocol", request.protocol},
                    {"verb", secret(request.verb)},
                    {"operator", secret(request.operator_name)},
                    {"files", std::move(files)},
                    {"revoked", list_of(request.revoked)},
                    {"confirm", request.confirm.count()},
                    {"patience", request.patience.count()},
                    {"words", list_of(request.words)}};
    if (request.firewall)
        json["firewall"] = {{"rules", secret(request.firewall->rules)},
                            {"interfaces", list_of(request.firewall->interfaces)},
                            {"stateHash", secret(request.firewall->state_hash)}};
    if (!request.echo) json["echo"] = false;
    if (request.removals) json["removals"] = *request.removals;
    return json.dump().append("\n");
}

Result<NodeRequest> parse_request(std::string_view text) {
    const auto json = parse(text, "the request");
    if (!json) return json.error();
    const Fields fields(*json);
    NodeRequest request;
    request.verb = fields.text("verb");
    request.operator_name = fields.text("operator");
    fields.each("files", [&](const SecretJson& file) {
        const Fields of(file);
        request.files.push_back(
            {of.text("interface"), of.secret("config"), of.text("settings"), of.text("stateHash")});
    });
    if (const auto* firewall = fields.find("firewall")) {
        const Fields of(*firewall);
        request.firewall =
            WantedFirewall{of.text("rules"), texts_of(of, "interfaces"), of.text("stateHash")};
    }
    request.echo = fields.find("echo") == nullptr || fields.flag("echo");
    request.revoked = keys_of(fields, "revoked");
    request.confirm = std::chrono::seconds(fields.number("confirm"));
    request.patience = std::chrono::seconds(fields.number("patience"));
    request.words = texts_of(fields, "words");
    if (fields.find("removals") != nullptr)
        request.removals = static_cast<std::uint32_t>(fields.number("removals"));
    return request;
}

SecretString to_text(const NodeAnswer& answer) {
    SecretJson interfaces = SecretJson::array();
    for (const auto& one : answer.interfaces) interfaces.push_back(interface_json(one));
    SecretJson json{{"protocol", answer.protocol},
                    {"version", secret(answer.version)},
                    {"host", secret(answer.host_name)},
                    {"bootId", secret(answer.boot_id)},
                    {"now", answer.now},
                    {"sshThrough", secret(answer.ssh_through)},
                    {"warnings", list_of(answer.warnings)},
                    {"interfaces", std::move(interfaces)},
                    {"revoked", list_of(answer.revoked)},
                    {"answered", list_of(answer.answered)},
                    {"silent", list_of(answer.silent)},
                    {"output", answer.output}};
    if (answer.firewall)
        json["firewall"] = {{"backend", secret(answer.firewall->backend)},
                            {"stateHash", secret(answer.firewall->state_hash)},
                            {"changes", list_of(answer.firewall->changes)}};
    if (answer.firewall_waits) json["firewallWaits"] = true;
    if (answer.error) json["error"] = error_json(*answer.error);
    return json.dump().append("\n");
}

Result<NodeAnswer> parse_answer(std::string_view text) {
    const auto json = parse(text, "the answer");
    if (!json) return json.error();
    const Fields fields(*json);
    NodeAnswer answer;
    answer.version = fields.text("version");
    answer.host_name = fields.text("host");
    answer.boot_id = fields.text("bootId");
    answer.now = fields.number("now");
    answer.ssh_through = fields.text("sshThrough");
    answer.warnings = texts_of(fields, "warnings");
    fields.each("interfaces", [&](const SecretJson& one) {
        answer.interfaces.push_back(interface_of(Fields(one)));
    });
    if (const auto* firewall = fields.find("firewall")) {
        const Fields of(*firewall);
        answer.firewall =
            NodeFirewall{of.text("backend"), of.text("stateHash"), texts_of(of, "changes")};
    }
    answer.firewall_waits = fields.flag("firewallWaits");
    answer.revoked = keys_of(fields, "revoked");
    answer.answered = keys_of(fields, "answered");
    answer.silent = keys_of(fields, "silent");
    answer.output = fields.secret("output");
    if (const auto* error = fields.find("error")) answer.error = error_of(Fields(*error));
    return answer;
}

} // namespace wgkit::fleet
