#include "trust/renewal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "trust/envelope.hpp"
#include "trust/json_fields.hpp"
#include "trust/possession.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"

namespace wgkit::trust {

namespace {

bool holds(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

Result<std::string> parse_id(std::string_view text) {
    const bool good = text.size() == 32 && text.find_first_not_of("0123456789abcdef") == text.npos;
    if (!good) return Error{Errc::invalid, "not 32 hexadecimal digits", {}};
    return std::string(text);
}

Result<std::string> parse_name(std::string_view text) {
    if (!ascii::is_dns_label(text)) return Error{Errc::invalid, "not a DNS label", {}};
    return std::string(text);
}

Error refuse(const Renewal& renewal, std::string_view why) {
    return {Errc::conflict, fmt::format("{}: its new keys are refused: {}", renewal.node, why), {}};
}

Possession possession_of(const Renewal& renewal, const Rotation& rotation) {
    return {fmt::format("wgkit renewal key v1\n{}\n{}", to_string(renewal.next),
                        to_string(rotation.enrolment)),
            fmt::format("wgkit renewal v1\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", renewal.network,
                        renewal.node, rotation.id, to_string(rotation.enrolment),
                        to_string(renewal.current), to_string(renewal.next),
                        to_string(renewal.second), renewal.second_port)};
}

} // namespace

bool Rotation::is_rotating(std::string_view node) const { return holds(rotating, node); }
bool Rotation::takes_part(std::string_view node) const { return holds(taking_part, node); }

std::string to_json(const Rotation& rotation) {
    return json_text::dump(nlohmann::json{{"id", rotation.id},
                                          {"enrolment", to_string(rotation.enrolment)},
                                          {"rotating", rotation.rotating},
                                          {"taking_part", rotation.taking_part},
                                          {"leave_behind", rotation.leave_behind},
                                          {"renewals", rotation.renewals}});
}

Result<Rotation> parse_rotation(std::string_view text) {
    JsonFields in(text, "rotation");
    Rotation rotation;
    rotation.id = in.parsed("id", parse_id);
    rotation.enrolment = in.parsed("enrolment", PublicKey::parse);
    rotation.rotating = in.list("rotating", parse_name);
    rotation.taking_part = in.list("taking_part", parse_name);
    const auto* behind = in.find("leave_behind");
    rotation.leave_behind = behind != nullptr && *behind == true;
    rotation.renewals = in.texts("renewals");
    return in.finish(std::move(rotation));
}

std::string to_json(const Renewal& renewal) {
    return json_text::dump(nlohmann::json{{"network", renewal.network},
                                          {"node", renewal.node},
                                          {"rotation", renewal.rotation},
                                          {"current", to_string(renewal.current)},
                                          {"next", to_string(renewal.next)},
                                          {"second", to_string(renewal.second)},
                                          {"second_port", renewal.second_port},
                                          {"mac", renewal.mac}});
}

Result<Renewal> parse_renewal(std::string_view text) {
    JsonFields in(text, "renewal");
    Renewal renewal;
    renewal.network = in.parsed("network", parse_name);
    renewal.node = in.parsed("node", parse_name);
    renewal.rotation = in.parsed("rotation", parse_id);
    renewal.current = in.parsed("current", PublicKey::parse);
    renewal.next = in.parsed("next", PublicKey::parse);
    renewal.second = in.parsed("second", PublicKey::parse);
    renewal.second_port = in.small_number("second_port");
    renewal.mac = in.text("mac");
    if (renewal.second_port == 0 || renewal.second_port > 65535)
        in.fail("'second_port' is no port");
    return in.finish(std::move(renewal));
}

Result<Renewal> check_renewal(std::string_view network, const Rotation& rotation,
                              const NodeRecord& node, std::string_view text) {
    const auto envelope = parse_envelope(text);
    if (!envelope) return envelope.error();
    if (envelope->type != type::renewal || !node.agent
        || signers(*envelope, {&*node.agent, 1}) != 1)
        return Error{Errc::invalid,
                     fmt::format("{}: its new keys are not signed by its agent", node.name),
                     {}};
    auto renewal = parse_renewal(envelope->payload);
    if (!renewal) return renewal;
    if (renewal->network != network) return refuse(*renewal, "another network");
    if (renewal->node != node.name)
        return refuse(*renewal, fmt::format("{} speaks for it", node.name));
    if (renewal->rotation != rotation.id) return refuse(*renewal, "another rotation");
    if (!rotation.takes_part(node.name)) return refuse(*renewal, "it takes no part");
    if (renewal->current != node.key) return refuse(*renewal, "the present key is another");
    if ((renewal->next != renewal->current) != rotation.is_rotating(node.name))
        return refuse(*renewal, "its key is to change, or to stay");
    return renewal;
}

Result<void> check_renewals(const Rotation& rotation, const std::vector<NodeRecord>& records,
                            const std::vector<std::string>& revoked,
                            const std::vector<Renewal>& renewals) {
    std::set<std::string> names;
    std::set<std::string> keys(revoked.begin(), revoked.end());
    for (const auto& record : records) {
        keys.insert(to_string(record.key));
        if (record.seal) keys.insert(to_string(*record.seal));
    }
    for (const auto& renewal : renewals) {
        if (!names.insert(renewal.node).second) return refuse(renewal, "there are two of it");
        const bool is_new =
            (renewal.next == renewal.current || keys.insert(to_string(renewal.next)).second)
            && keys.insert(to_string(renewal.second)).second;
        if (!is_new) return refuse(renewal, "somebody has one of them already, or it is revoked");
    }
    for (const auto& name : rotation.taking_part)
        if (!names.contains(name))
            return Error{Errc::conflict, fmt::format("{}: it has made no new keys", name), {}};
    return {};
}

Result<std::string> possession_mac(const Renewal& renewal, const Rotation& rotation,
                                   const PrivateKey& next_key) {
    return make_mac(possession_of(renewal, rotation), next_key, rotation.enrolment);
}

bool shows_possession(const Renewal& renewal, const Rotation& rotation,
                      const PrivateKey& enrolment_key) {
    return is_mac(renewal.mac, possession_of(renewal, rotation), enrolment_key, renewal.next);
}

} // namespace wgkit::trust
