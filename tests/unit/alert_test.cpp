#include <nlohmann/json.hpp>

#include "alert/event_json.hpp"
#include "alert/incident.hpp"
#include "alert/matching.hpp"
#include "alert/payload.hpp"
#include "alert/retry.hpp"
#include "alert/signature.hpp"
#include "support/catch.hpp"

using namespace wgkit;
using namespace wgkit::alert;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const AlertTime start{seconds(1'700'000'000)};
const Policy policy{seconds(3600), 4, seconds(600)};

AlertEvent down(AlertTime at = start) {
    AlertEvent event;
    event.key = "k";
    event.type = "peer.unreachable";
    event.severity = AlertSeverity::critical;
    event.summary = "peer is down";
    event.started_at = at;
    return event;
}

AlertEvent up(AlertTime at) {
    auto event = down();
    event.resolved_at = at;
    return event;
}

Batch batch_of(std::size_t count, const std::string& summary) {
    Batch batch;
    batch.id = "msg_1";
    batch.now = start;
    batch.source = "gw";
    for (std::size_t i = 0; i < count; ++i) {
        auto event = down();
        event.key += std::to_string(i);
        event.summary = summary;
        event.details = summary;
        batch.messages.push_back({event, "firing"});
    }
    return batch;
}

HttpAnswer answered(int status, std::string body = {}) {
    HttpAnswer answer;
    answer.outcome = HttpOutcome::answered;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
}

} // namespace

TEST_CASE("An incident is told once, again after the repeat interval, and when it is over") {
    auto event = down();
    auto one = step({}, &event, policy, false, start);
    CHECK(one.notice == Notice::firing);
    auto two = step(one.after, &event, policy, false, start + seconds(60));
    CHECK_FALSE(two.notice);
    auto three = step(two.after, &event, policy, false, start + seconds(3600));
    CHECK(three.notice == Notice::repeat);
    auto over = up(start + seconds(4000));
    auto four = step(three.after, &over, policy, false, start + seconds(4000));
    CHECK(four.notice == Notice::resolved);
    CHECK(*four.after.event.resolved_at - four.after.event.started_at == seconds(4000));
    CHECK_FALSE(step(four.after, &over, policy, false, start + seconds(4100)).notice);
    CHECK_FALSE(step(four.after, nullptr, policy, false, start + seconds(9000)).keep);
}

TEST_CASE("An incident that grows worse is told again") {
    auto event = down();
    event.severity = AlertSeverity::warning;
    auto one = step({}, &event, policy, false, start);
    event.severity = AlertSeverity::critical;
    CHECK(step(one.after, &event, policy, false, start + seconds(1)).notice == Notice::firing);
}

TEST_CASE("A flapping incident is told once, and once more when it has settled") {
    std::optional<Incident> state;
    std::vector<Notice> told;
    for (int i = 0; i < 10; ++i) {
        const auto now = start + seconds(10 * i);
        auto event = i % 2 == 0 ? down(now) : up(now);
        auto next = step(state, &event, policy, false, now);
        if (next.notice) told.push_back(*next.notice);
        state = next.after;
    }
    CHECK(told == std::vector{Notice::firing, Notice::resolved, Notice::firing, Notice::flapping});
    const auto settled = step(state, nullptr, policy, false, start + seconds(1000));
    CHECK(settled.notice == Notice::resolved);
}

TEST_CASE("A silence holds a message back but does not hide a recovery") {
    auto event = down();
    auto quiet = step({}, &event, policy, true, start);
    CHECK_FALSE(quiet.notice);
    CHECK(quiet.held_back);
    CHECK(step(quiet.after, &event, policy, false, start + seconds(9)).notice == Notice::firing);
    auto told = step({}, &event, policy, false, start);
    auto over = up(start + seconds(9));
    CHECK(step(told.after, &over, policy, true, start + seconds(9)).notice == Notice::resolved);
}

TEST_CASE("Every form of Retry-After is read") {
    auto answer = answered(429);
    answer.headers = {{"retry-after", "7"}};
    CHECK(retry_after(answer, start) == milliseconds(7000));
    answer.headers = {{"retry-after", "Tue, 14 Nov 2023 22:13:50 GMT"}};
    CHECK(retry_after(answer, start) == milliseconds(30'000));
    CHECK(retry_after(answered(429, R"({"retry_after":0.376})"), start) == milliseconds(376));
    CHECK(retry_after(answered(429, R"({"parameters":{"retry_after":5}})"), start)
          == milliseconds(5000));
    CHECK(retry_after(answered(429, R"({"retry_after_ms":1500})"), start) == milliseconds(1500));
    answer.headers = {{"retry-after", "1"}, {"x-ratelimit-reset-after", "2.5"}};
    CHECK(retry_after(answer, start) == milliseconds(2500));
    answer.headers = {{"retry-after", "1e300"}};
    CHECK(retry_after(answer, start) == milliseconds(86'400'000));
    for (const char* nonsense : {"", "-5", "soon", "nan", "12 s"}) {
        answer.headers = {{"retry-after", nonsense}};
        CHECK_FALSE(retry_after(answer, start));
    }
}

TEST_CASE("Answers are judged") {
    CHECK(judge(answered(204), start).verdict == Verdict::taken);
    CHECK(judge(answered(302), start).verdict == Verdict::later);
    CHECK(judge(answered(400), start).verdict == Verdict::refused);
    CHECK(judge(answered(403), start).whole_target);
    CHECK(judge(answered(410), start).verdict == Verdict::disabled);
    CHECK_FALSE(judge(answered(500), start).whole_target);
    CHECK(judge(answered(504), start).verdict == Verdict::unknown);
}

TEST_CASE("Standard Webhooks are signed as the specification's example is") {
    const auto signature =
        standard_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                           "1614265330", R"({"test": 2432232314})");
    REQUIRE(signature);
    CHECK(*signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    CHECK_FALSE(standard_signature("whsec_c2hvcnQ=", "a", "1", ""));
    CHECK_FALSE(standard_signature("secret", "a", "1", ""));
    // RFC 4231, case 2
    CHECK(hub_signature("Jefe", "what do ya want for nothing?")
          == "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("Texts are cut as services count, between characters") {
    const std::string text = "a\xC3\xA9\xF0\x9F\x98\x80z"; // a é 😀 z
    CHECK(length(text, Unit::bytes) == 8);
    CHECK(length(text, Unit::code_points) == 4);
    CHECK(length(text, Unit::utf16) == 5);
    CHECK(cut(text, 4, Unit::code_points) == text);
    CHECK(cut(text, 3, Unit::code_points) == "a\xC3\xA9\xE2\x80\xA6");
    CHECK(cut(text, 4, Unit::utf16) == "a\xC3\xA9\xE2\x80\xA6");
    CHECK(clean("a\x1b[31m\xff\xE2\x80\xAE"
                "b\n")
          == "a [31m\xEF\xBF\xBD"
             "b ");
}

TEST_CASE("Payloads keep the services' limits whatever names hold") {
    std::string hostile;
    while (hostile.size() < 9000) hostile += "<@everyone> *\"\\\xF0\x9F\x98\x80\xff\n";
    for (const std::size_t count : {std::size_t{1}, std::size_t{50}}) {
        const auto batch = batch_of(count, hostile);
        using Json = nlohmann::json;
        const auto slack = Json::parse(slack_body(batch));
        CHECK(length(slack["attachments"][0]["text"].get<std::string>(), Unit::code_points)
              <= 3000);
        CHECK(slack.dump().find("<@") == std::string::npos);
        const auto discord = Json::parse(discord_body(batch));
        const auto& embed = discord["embeds"][0];
        CHECK(length(embed["title"].get<std::string>(), Unit::utf16) <= 256);
        CHECK(length(embed["description"].get<std::string>(), Unit::utf16) <= 4096);
        CHECK(discord["allowed_mentions"]["parse"].empty());
        CHECK(teams_body(batch).size() <= 28'000);
        const auto telegram = Json::parse(telegram_body(batch, "1"));
        CHECK(length(telegram["text"].get<std::string>(), Unit::utf16) <= 4096);
        CHECK(Json::parse(ntfy_body(batch, "t"))["message"].get<std::string>().size() <= 4096);
        CHECK(Json::parse(alertmanager_body(batch)).size() == count);
    }
    const auto one = batch_of(1, hostile);
    CHECK(standard_body(one).size() < 20'000);
    const auto incident = nlohmann::json::parse(pagerduty_body(one, "\"key"));
    CHECK(incident["routing_key"] == "\"key");
    CHECK(length(incident["payload"]["summary"].get<std::string>(), Unit::utf16) <= 1024);
    AlertEvent named;
    named.key = std::string(300, 'k');
    CHECK(dedup_key(named).size() == 64);
}

TEST_CASE("The first route that fits decides, unless it goes on") {
    Diagnostics diagnostics("alert.yaml");
    const auto config = parse_alert_config("version: 1\ntargets:\n"
                                           "  a: {type: exec, command: [x]}\n"
                                           "  b: {type: exec, command: [x], severity: critical}\n"
                                           "routes:\n"
                                           "  - {tags: [lab*], to: a, continue: true}\n"
                                           "  - {severity: warning, to: b}\n"
                                           "  - {to: a}\n",
                                           diagnostics);
    REQUIRE(diagnostics.empty());
    const auto names = [&](const AlertEvent& event) {
        std::string text;
        for (const auto* target : targets_of(config, event)) text += target->name;
        return text;
    };
    auto event = down();
    CHECK(names(event) == "b");
    event.tags = {"lab-1"};
    CHECK(names(event) == "ab");
    event.tags = {};
    event.severity = AlertSeverity::warning;
    CHECK(names(event).empty()); // b's own minimum
    event.severity = AlertSeverity::info;
    CHECK(names(event) == "a");
}

TEST_CASE("Mistakes in alert.yaml have their place") {
    const auto finding = [](const std::string& target, const std::string& rest = {}) {
        Diagnostics diagnostics("alert.yaml");
        parse_alert_config("version: 1\ntargets:\n  t: {" + target + "}\n" + rest, diagnostics);
        REQUIRE(diagnostics.all().size() == 1);
        const auto& one = diagnostics.all().front();
        return std::to_string(one.mark.line) + ":" + std::to_string(one.mark.column) + " "
               + one.code;
    };
    CHECK(finding("type: slak") == "3:13 bad-value");
    CHECK(finding("type: slack, url: https://x/y") == "3:25 secret-in-config");
    CHECK(finding("type: pagerduty, routing_key: abc") == "3:37 secret-in-config");
    CHECK(finding("type: slack") == "3:3 missing-field");
    CHECK(finding("type: slack, url_file: x, topic: y") == "3:33 unknown-field");
    CHECK(finding("type: ntfy, topic: t, url: ftp://x") == "3:34 bad-value");
    CHECK(finding("type: webhook, url: http://x/, template: '{{nmae}}'") == "3:48 bad-value");
    CHECK(finding("type: exec, command: [x]", "routes: [{to: u}]\n") == "4:15 unknown-target");
    CHECK(finding("type: exec, command: [x], timeout: 5 min") == "3:42 bad-value");
}

TEST_CASE("Events come back from JSON as they were") {
    auto event = up(start + seconds(5));
    event.labels = {{"peer", "d\"b"}};
    event.tags = {"x"};
    event.cause = "hub";
    const auto back = parse_alert_event(to_json_text(event));
    REQUIRE(back);
    CHECK(to_json_text(*back) == to_json_text(event));
    CHECK(from_rfc3339("2026-01-02T03:04:05.123456789+01:00")
          == from_rfc3339("2026-01-02T02:04:05Z"));
    CHECK_FALSE(parse_alert_event("[]"));
    CHECK_FALSE(parse_alert_event(R"({"key":"k"})"));
    CHECK_FALSE(parse_alert_event(R"({"key":1,"summary":"s"})"));
}
