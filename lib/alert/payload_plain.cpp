// Standard Webhooks 1.0.0, templates, mail and programs.
#include <fmt/format.h>

#include <ctime>

#include "alert/event_json.hpp"
#include "alert/payload.hpp"
#include "util/json_text.hpp"

namespace wgkit::alert {

namespace {

using Json = nlohmann::ordered_json;

using json_text::dump;

/// An event as others get it, with what became of it.
Json data_of(const Message& message) {
    AlertEvent event = message.event;
    constexpr std::size_t room = 10'000; // the whole should stay below 20 KB
    event.summary = cut(clean(event.summary), 2000, Unit::bytes);
    event.details = cut(clean(event.details, true), room, Unit::bytes);
    auto json = json_text::parse_ordered(to_json_text(event));
    json["status"] = message.kind;
    if (message.over() && event.resolved_at)
        json["duration_seconds"] = (*event.resolved_at - event.started_at).count();
    return json;
}

/// Letters, digits, `_` and `.`, as Standard Webhooks wants types.
std::string type_of(std::string_view type) {
    std::string text;
    for (const char c : type)
        text +=
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.'
                ? c
                : '_';
    return text;
}

/// The value of a placeholder; nothing if there is none of that name.
std::optional<std::string> value_of(std::string_view name, const Batch& batch) {
    const Message& message = batch.messages.front();
    const AlertEvent& event = message.event;
    if (name == "title") return title(batch);
    if (name == "text") return body(batch, 4000, Unit::bytes);
    if (name == "summary") return clean(event.summary);
    if (name == "details") return clean(event.details, true);
    if (name == "severity") return std::string(to_string(event.severity));
    if (name == "status") return message.kind;
    if (name == "key") return clean(event.key);
    if (name == "type") return clean(event.type);
    if (name == "cause") return clean(event.cause);
    if (name == "source") return clean(batch.source);
    if (name == "id") return batch.id;
    if (name == "started_at") return rfc3339(event.started_at);
    if (name == "resolved_at")
        return event.resolved_at && message.over() ? rfc3339(*event.resolved_at) : std::string();
    if (name.starts_with("label.")) {
        const auto found = event.labels.find(std::string(name.substr(6)));
        return found == event.labels.end() ? std::string() : clean(found->second);
    }
    return std::nullopt;
}

/// Calls `text(part)` and `name(placeholder)` in turn.
template <class Text, class Name>
void walk(std::string_view source, Text text, Name name) {
    while (true) {
        const auto start = source.find("{{");
        const auto end = start == source.npos ? source.npos : source.find("}}", start);
        text(source.substr(0, end == source.npos ? source.npos : start));
        if (end == source.npos) return;
        auto inner = source.substr(start + 2, end - start - 2);
        while (inner.starts_with(' ')) inner.remove_prefix(1);
        while (inner.ends_with(' ')) inner.remove_suffix(1);
        name(inner);
        source.remove_prefix(end + 2);
    }
}

std::string encoded_word(std::string_view text) {
    const bool ascii =
        text.find_first_not_of(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                               "abcdefghijklmnopqrstuvwxyz{|}~\"\\")
        == text.npos;
    if (ascii) return std::string(text);
    // RFC 2047, quoted-printable: words of at most 75 characters, no character parted.
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::size_t room = 75 - 12;
    std::string result, word;
    const auto close = [&] {
        if (!word.empty())
            result += (result.empty() ? "=?UTF-8?Q?" : "\n =?UTF-8?Q?") + word + "?=";
        word.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        std::size_t size = 1;
        while (at + size < text.size()
               && (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80)
            ++size;
        std::string character;
        for (const char c : text.substr(at, size)) {
            const auto byte = static_cast<unsigned char>(c);
            if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
                character += c;
            else if (c == ' ')
                character += '_';
            else
                character += {'=', digits[byte >> 4], digits[byte & 15]};
        }
        if (word.size() + character.size() > room) close();
        word += character;
        at += size;
    }
    close();
    return result;
}

/// RFC 5322: "Mon, 02 Jan 2026 03:04:05 +0000", in English whatever the locale says.
std::string mail_date(AlertTime time) {
    constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = time.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", days[parts.tm_wday],
                       parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
}

} // namespace

std::string standard_body(const Batch& batch) {
    const Message& message = batch.messages.front();
    auto data = data_of(message);
    if (!batch.source.empty()) data["source"] = clean(batch.source);
    if (batch.dropped != 0) data["dropped_before"] = batch.dropped;
    const auto when = message.over() && message.event.resolved_at ? *message.event.resolved_at
                                                                  : message.event.started_at;
    return dump(
        Json{{"type", type_of(message.event.type)}, {"timestamp", rfc3339(when)}, {"data", data}});
}

std::string exec_body(const Batch& batch) {
    Json events = Json::array();
    for (const auto& message : batch.messages) events.push_back(data_of(message));
    return dump(Json{{"schema", 1},
                     {"id", batch.id},
                     {"source", clean(batch.source)},
                     {"title", title(batch)},
                     {"possibly_repeated", batch.perhaps_repeated},
                     {"dropped_before", batch.dropped},
                     {"events", events}})
           + "\n";
}

std::string template_body(const Batch& batch, std::string_view text,
                          std::string_view content_type) {
    const bool json = content_type.find("json") != content_type.npos;
    const bool form = content_type.find("form-urlencoded") != content_type.npos;
    std::string result;
    walk(
        text, [&](std::string_view part) { result += part; },
        [&](std::string_view name) {
            const auto value = value_of(name, batch).value_or("");
            if (json) {
                const auto quoted = dump(Json(value));
                result += quoted.substr(1, quoted.size() - 2);
            } else {
                result += form ? percent_encoded(value) : value;
            }
        });
    return result;
}

std::string unknown_placeholder(std::string_view text) {
    Batch batch;
    batch.messages.emplace_back();
    std::string wrong;
    walk(
        text, [](std::string_view) {},
        [&](std::string_view name) {
            if (wrong.empty() && !value_of(name, batch)) wrong = name.empty() ? "{{}}" : name;
        });
    return wrong;
}

std::string mail(const AlertTarget& target, const Batch& batch) {
    constexpr std::size_t longest_line = 900; // RFC 5322 ends at 998
    std::string to;
    for (const auto& one : target.to) to += (to.empty() ? "" : ",\n ") + one;
    std::string text;
    if (!target.from.empty()) text += fmt::format("From: {}\n", target.from);
    text += fmt::format("To: {}\nSubject: {}\nDate: {}\nMessage-ID: <{}@wgkit.invalid>\n", to,
                        encoded_word(cut(title(batch), 200, Unit::code_points)),
                        mail_date(batch.now), batch.id);
    if (batch.messages.size() == 1) {
        // One thread for each incident.
        const auto& event = batch.messages.front().event;
        text += fmt::format("References: <{:016x}.{}@wgkit.invalid>\n",
                            std::hash<std::string>{}(event.key),
                            event.started_at.time_since_epoch().count());
    }
    if (!all_over(batch) && worst(batch) == AlertSeverity::critical)
        text += "X-Priority: 1\nImportance: high\n";
    text += "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n";
    std::size_t column = 0;
    for (const char c : title(batch) + "\n\n" + body(batch, 200'000, Unit::bytes) + "\n") {
        const bool within = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
        if (column >= longest_line && !within) {
            text += '\n';
            column = 0;
        }
        text += c;
        column = c == '\n' ? 0 : column + 1;
    }
    return text;
}

} // namespace wgkit::alert
