// Chat services: https://docs.slack.dev/messaging, developers.mattermost.com,
// discord.com/developers, learn.microsoft.com (Adaptive Cards), core.telegram.org/bots/api,
// docs.ntfy.sh.

#include "alert/event_json.hpp"
#include "alert/payload.hpp"
#include "util/json_text.hpp"

namespace wgkit::alert {

namespace {

using Json = nlohmann::ordered_json;

using json_text::dump;

/// Red, amber, blue; green once all is over.
std::uint32_t colour(const Batch& batch) {
    if (all_over(batch)) return 0x2EB886;
    switch (worst(batch)) {
    case AlertSeverity::critical:
        return 0xD00000;
    case AlertSeverity::warning:
        return 0xDAA038;
    case AlertSeverity::info:
        break;
    }
    return 0x439FE0;
}

std::string hex_colour(const Batch& batch) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text = "#";
    for (int shift = 20; shift >= 0; shift -= 4) text += digits[(colour(batch) >> shift) & 15];
    return text;
}

/// Markdown of any of these services, and mentions: `@channel` would wake everybody.
std::string markdown_safe(std::string_view text) {
    std::string result;
    for (const char c : backslashed(text, "\\`*_{}[]()#+-.!|~>")) {
        if (c == '<')
            result += "&lt;";
        else
            result += c;
        if (c == '@') result += "\xE2\x80\x8B"; // zero width space
    }
    return result;
}

std::string discord_safe(std::string_view text) { return backslashed(text, "\\`*_[]()#-|~><@"); }

} // namespace

std::string slack_body(const Batch& batch) {
    const auto heading = cut(title(batch), 500, Unit::code_points);
    Json attachment{{"color", hex_colour(batch)},
                    {"fallback", entities(heading)},
                    {"text", body(batch, 3000, Unit::code_points, entities)},
                    {"mrkdwn_in", Json::array()},
                    {"ts", batch.messages.front().event.started_at.time_since_epoch().count()}};
    return dump(Json{{"text", entities(heading)},
                     {"mrkdwn", false},
                     {"attachments", Json::array({attachment})}});
}

std::string mattermost_body(const Batch& batch) {
    const auto heading = cut(title(batch), 500, Unit::code_points);
    // Versions up to 5 took no more than 7,900 characters of attachments.
    Json attachment{{"color", hex_colour(batch)},
                    {"fallback", heading},
                    {"text", body(batch, 6000, Unit::code_points, markdown_safe)}};
    return dump(Json{{"text", markdown_safe(heading)}, {"attachments", Json::array({attachment})}});
}

std::string discord_body(const Batch& batch) {
    // Its limits may count either way: by UTF-16 no text is too long.
    const auto escaped = discord_safe(cut(title(batch), 120, Unit::utf16));
    Json embed{{"title", escaped},
               {"description", body(batch, 4096, Unit::utf16, discord_safe)},
               {"color", colour(batch)},
               {"timestamp", rfc3339(batch.messages.front().event.started_at)}};
    return dump(
        Json{{"embeds", Json::array({embed})}, {"allowed_mentions", {{"parse", Json::array()}}}});
}

std::string teams_body(const Batch& batch) {
    const char* tone = all_over(batch)                           ? "Good"
                       : worst(batch) == AlertSeverity::critical ? "Attention"
                       : worst(batch) == AlertSeverity::warning  ? "Warning"
                                                                 : "Default";
    constexpr std::size_t whole_message = 28'000;
    for (std::size_t room = 24'000;; room /= 2) {
        Json blocks = Json::array();
        blocks.push_back({{"type", "TextBlock"},
                          {"text", markdown_safe(cut(title(batch), 500, Unit::code_points))},
                          {"wrap", true},
                          {"weight", "Bolder"},
                          {"color", tone}});
        std::string text = body(batch, room, Unit::bytes, markdown_safe);
        std::string paragraphs; // one line end alone is none in a TextBlock
        for (const char c : text) paragraphs += c == '\n' ? std::string("\n\n") : std::string(1, c);
        if (!paragraphs.empty())
            blocks.push_back({{"type", "TextBlock"}, {"text", paragraphs}, {"wrap", true}});
        Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                  {"type", "AdaptiveCard"},
                  {"version", "1.2"},
                  {"body", blocks},
                  {"msteams", {{"width", "full"}}}};
        Json attachment{{"contentType", "application/vnd.microsoft.card.adaptive"},
                        {"contentUrl", nullptr},
                        {"content", card}};
        auto whole = dump(Json{{"type", "message"}, {"attachments", Json::array({attachment})}});
        if (whole.size() <= whole_message || room < 1000) return whole;
    }
}

std::string telegram_body(const Batch& batch, const std::string& chat) {
    // Without parse_mode nothing in it means anything but itself.
    const auto heading = cut(title(batch), 500, Unit::utf16);
    const auto text =
        heading + "\n" + body(batch, 4096 - length(heading, Unit::utf16) - 1, Unit::utf16);
    return dump(
        Json{{"chat_id", chat},
             {"text", text},
             {"disable_notification", all_over(batch) || worst(batch) == AlertSeverity::info},
             {"link_preview_options", {{"is_disabled", true}}}});
}

std::string ntfy_body(const Batch& batch, const std::string& topic) {
    const bool over = all_over(batch);
    const auto severity = worst(batch);
    const char* tag = over                                  ? "white_check_mark"
                      : severity == AlertSeverity::critical ? "rotating_light"
                      : severity == AlertSeverity::warning  ? "warning"
                                                            : "information_source";
    return dump(Json{{"topic", topic},
                     {"title", cut(title(batch), 200, Unit::bytes)},
                     {"message", body(batch, 4000, Unit::bytes)},
                     {"priority", over                                  ? 3
                                  : severity == AlertSeverity::critical ? 5
                                  : severity == AlertSeverity::warning  ? 4
                                                                        : 3},
                     {"tags", Json::array({tag})}});
}

} // namespace wgkit::alert
