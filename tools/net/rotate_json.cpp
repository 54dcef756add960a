#include "net/rotate_json.hpp"

#include <fmt/format.h>

#include "util/json_text.hpp"

namespace wgkit::tool::net {

namespace {

Error bad_offer(const std::string& from, const std::string& what) {
    return {Errc::invalid, fmt::format("{} is no offer: {}", from, what),
            "an offer is what wgkit net rotate prepare prints"};
}

Result<PublicKey> offered_key(const Json& object, const char* name, const std::string& from) {
    const auto at = object.find(name);
    if (at == object.end() || !at->is_string())
        return bad_offer(from, fmt::format("{} is missing", name));
    auto key = PublicKey::parse(at->get_ref<const std::string&>());
    if (!key) return bad_offer(from, fmt::format("{} is no key", name));
    return key;
}

Result<rotate::Offer> parse_offer(const Json& object, const std::string& from) {
    if (!object.is_object() || object.value("schema", Json()) != 1)
        return bad_offer(from, "its schema is not 1");
    const Json second = object.value("second", Json());
    if (!second.is_object()) return bad_offer(from, "second is missing");
    rotate::Offer offer;
    const auto current = offered_key(object, "publicKey", from);
    if (!current) return current.error();
    const auto next = offered_key(object, "newPublicKey", from);
    if (!next) return next.error();
    const auto key = offered_key(second, "publicKey", from);
    if (!key) return key.error();
    offer.current = *current;
    offer.next = *next;
    offer.second = *key;
    const Json port = second.value("port", Json());
    if (!port.is_number_unsigned() || port.get<std::uint64_t>() == 0
        || port.get<std::uint64_t>() > 65535)
        return bad_offer(from, "second.port is no port");
    offer.second_port = port.get<std::uint16_t>();
    if (const Json host = second.value("host", Json()); host.is_string())
        offer.second_host = host.get<std::string>();
    if (const Json interface = object.value("interface", Json()); interface.is_string())
        offer.interface = interface.get<std::string>();
    return offer;
}

const char* next_step(const rotate::Status& status) {
    switch (status.phase) {
    case rotate::Phase::prepared:
        return status.peers.empty() ? "accept" : "switch";
    case rotate::Phase::switched:
    case rotate::Phase::rekeying:
        return "rekey";
    case rotate::Phase::rekeyed:
        return "return";
    case rotate::Phase::returned:
        return "finish";
    }
    return "";
}

Json peer_json(const rotate::PeerStatus& peer) {
    return {{"publicKey", to_string(peer.current)},
            {"newPublicKey", to_string(peer.next)},
            {"latestHandshake", peer.interface_handshake},
            {"latestHandshakeSecond", peer.second_handshake}};
}

} // namespace

Json to_json(const rotate::Offer& offer) {
    Json second{{"publicKey", to_string(offer.second)}, {"port", offer.second_port}};
    if (offer.second_host) second["host"] = *offer.second_host;
    return {{"schema", 1},
            {"interface", offer.interface},
            {"publicKey", to_string(offer.current)},
            {"newPublicKey", to_string(offer.next)},
            {"second", std::move(second)}};
}

Result<std::vector<rotate::Offer>> parse_offers(std::string_view text, const std::string& from) {
    const Json json = json_text::parse_ordered(text);
    if (json.is_discarded()) return bad_offer(from, "it is not JSON");
    std::vector<rotate::Offer> offers;
    const auto add = [&](const Json& object) -> Result<void> {
        auto offer = parse_offer(object, from);
        if (!offer) return offer.error();
        offers.push_back(std::move(*offer));
        return {};
    };
    if (!json.is_array()) {
        if (auto added = add(json); !added) return added.error();
        return offers;
    }
    for (const auto& object : json)
        if (auto added = add(object); !added) return added.error();
    return offers;
}

Json to_json(const std::string& interface, const std::optional<rotate::Status>& status) {
    Json out{{"schema", 1}, {"interface", interface}, {"phase", nullptr}};
    if (!status) return out;
    out["phase"] = std::string(to_string(status->phase));
    out["goal"] = status->going_back ? "old" : "new";
    out["next"] = next_step(*status);
    out["second"] = {{"interface", status->second},
                     {"exists", status->second_is_there},
                     {"routes", status->routes}};
    out["publicKey"] = to_string(status->current);
    out["newPublicKey"] = to_string(status->next);
    out["peers"] = Json::array();
    for (const auto& peer : status->peers) out["peers"].push_back(peer_json(peer));
    out["leftBehind"] = Json::array();
    for (const auto& key : status->left_behind) out["leftBehind"].push_back(to_string(key));
    return out;
}

} // namespace wgkit::tool::net
