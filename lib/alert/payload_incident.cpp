// Services that keep incidents: Alertmanager API v2 and its webhook version 4, PagerDuty Events v2.
#include <fmt/format.h>

#include <array>

#include "alert/event_json.hpp"
#include "alert/payload.hpp"
#include "crypto/sodium_sha256.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"

namespace wgkit::alert {

namespace {

using Json = nlohmann::ordered_json;

using json_text::dump;

/// [a-zA-Z_][a-zA-Z0-9_]*
std::string label_name(std::string_view name) {
    std::string text;
    for (const char c : name) text += ascii::is_alnum(c) ? c : '_';
    if (text.empty() || ascii::is_digit(text.front())) text.insert(0, 1, '_');
    return text;
}

using Labels = std::map<std::string, std::string>;

/// All that tells one alert from another, as Alertmanager does.
Labels labels_of(const AlertEvent& event, const std::string& source) {
    Labels labels;
    for (const auto& [name, value] : event.labels)
        if (!value.empty()) labels[label_name(name)] = clean(value);
    labels["alertname"] = clean(event.type);
    labels["severity"] = to_string(event.severity);
    labels["key"] = clean(event.key);
    if (!source.empty()) labels.try_emplace("instance", clean(source));
    return labels;
}

Labels annotations_of(const Message& message) {
    Labels annotations{{"summary", clean(message.event.summary)}};
    if (!message.event.details.empty())
        annotations["description"] = clean(message.event.details, true);
    if (!message.event.cause.empty()) annotations["cause"] = clean(message.event.cause);
    return annotations;
}

/// FNV-1a over sorted names and values, as Prometheus has it (common/model/signature.go).
std::string fingerprint(const Labels& labels) {
    std::uint64_t sum = 14695981039346656037U;
    const auto add = [&](unsigned char byte) { sum = (sum ^ byte) * 1099511628211U; };
    for (const auto& [name, value] : labels) {
        for (const char c : name) add(static_cast<unsigned char>(c));
        add(255);
        for (const char c : value) add(static_cast<unsigned char>(c));
        add(255);
    }
    return fmt::format("{:016x}", sum);
}

/// What all of a list have alike.
Labels common(const std::vector<Labels>& list) {
    Labels result = list.front();
    for (const auto& other : list)
        for (auto it = result.begin(); it != result.end();) {
            const auto found = other.find(it->first);
            it = found == other.end() || found->second != it->second ? result.erase(it)
                                                                     : std::next(it);
        }
    return result;
}

/// When an Alertmanager takes it for resolved if it hears nothing more: after two repeats.
AlertTime end_of(const Message& message, const Batch& batch) {
    if (message.event.resolved_at && message.over()) return *message.event.resolved_at;
    constexpr std::chrono::seconds long_time{7 * 24 * 3600};
    return batch.now + (batch.repeat.count() > 0 ? 2 * batch.repeat : long_time);
}

} // namespace

std::string alertmanager_body(const Batch& batch) {
    Json alerts = Json::array();
    for (const auto& message : batch.messages)
        alerts.push_back({{"labels", labels_of(message.event, batch.source)},
                          {"annotations", annotations_of(message)},
                          {"startsAt", rfc3339(message.event.started_at)},
                          {"endsAt", rfc3339(end_of(message, batch))}});
    return dump(alerts);
}

std::string alertmanager_webhook_body(const Batch& batch, const std::string& receiver) {
    Json alerts = Json::array();
    std::vector<Labels> labels, annotations;
    for (const auto& message : batch.messages) {
        labels.push_back(labels_of(message.event, batch.source));
        annotations.push_back(annotations_of(message));
        alerts.push_back(
            {{"status", message.over() ? "resolved" : "firing"},
             {"labels", labels.back()},
             {"annotations", annotations.back()},
             {"startsAt", rfc3339(message.event.started_at)},
             {"endsAt", message.over() ? rfc3339(end_of(message, batch)) : "0001-01-01T00:00:00Z"},
             {"generatorURL", ""},
             {"fingerprint", fingerprint(labels.back())}});
    }
    return dump(Json{{"receiver", receiver},
                     {"status", all_over(batch) ? "resolved" : "firing"},
                     {"alerts", alerts},
                     {"groupLabels", Json::object()},
                     {"commonLabels", common(labels)},
                     {"commonAnnotations", common(annotations)},
                     {"externalURL", ""},
                     {"version", "4"},
                     {"groupKey", "{}:{}"},
                     {"truncatedAlerts", 0}});
}

std::string dedup_key(const AlertEvent& event) {
    constexpr std::size_t longest = 255;
    if (event.key.size() <= longest) return event.key;
    return crypto::sodium_sha256_hex(event.key);
}

SecretString pagerduty_body(const Batch& batch, std::string_view routing_key) {
    const Message& message = batch.messages.front();
    const AlertEvent& event = message.event;
    // Without the routing key, which goes in last, into memory that is wiped.
    Json json{{"event_action", message.over() ? "resolve" : "trigger"},
              {"dedup_key", clean(dedup_key(event))}};
    if (!message.over()) {
        const auto label = [&](const char* name) {
            const auto found = event.labels.find(name);
            return found == event.labels.end() ? std::string() : clean(found->second);
        };
        Json details = Json::object();
        for (const auto& [name, value] : event.labels) details[clean(name)] = clean(value);
        if (!event.details.empty())
            details["details"] = cut(clean(event.details, true), 100'000, Unit::bytes);
        if (!event.cause.empty()) details["cause"] = clean(event.cause);
        const auto node = label("node");
        const auto source = !node.empty() ? node : clean(batch.source);
        Json payload{{"summary", cut(clean(event.summary), 1024, Unit::utf16)},
                     {"source", source.empty() ? "wgkit" : source},
                     {"severity", to_string(event.severity)},
                     {"timestamp", rfc3339(event.started_at)},
                     {"class", clean(event.type)},
                     {"custom_details", details}};
        if (const auto interface = label("interface"); !interface.empty())
            payload["component"] = interface;
        if (const auto fleet = label("fleet"); !fleet.empty()) payload["group"] = fleet;
        json["payload"] = payload;
        json["client"] = "wgkit";
    }
    const std::string rest = dump(json);
    const std::string quoted = dump(Json(std::string(routing_key)));
    return SecretString("{\"routing_key\":").append(quoted).append(",").append(rest.substr(1));
}

} // namespace wgkit::alert
