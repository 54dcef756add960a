#include "alert/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "alert/text.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"

namespace wgkit::alert {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_wait{24 * 3600 * 1000};

std::optional<milliseconds> wait_of(double ms) {
    if (!std::isfinite(ms) || ms < 0) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(
        std::ceil(std::min(ms, static_cast<double>(longest_wait.count())))));
}

std::optional<double> decimal(std::string_view text) {
    text = ascii::trim(text);
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// RFC 9110: "Sun, 06 Nov 1994 08:49:37 GMT"; the two older forms, too.
std::optional<AlertTime> http_date(std::string_view text) {
    const std::string date(ascii::trim(text));
    for (const char* format :
         {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
        std::tm parts{};
        const char* end = ::strptime(date.c_str(), format, &parts);
        if (end != nullptr && *end == '\0')
            return AlertTime(std::chrono::seconds(::timegm(&parts)));
    }
    return std::nullopt;
}

std::optional<milliseconds> from_json(const std::string& body) {
    const auto json = json_text::parse(body);
    if (!json.is_object()) return std::nullopt;
    const auto look = [](const nlohmann::json& object) -> std::optional<milliseconds> {
        if (const auto ms = object.find("retry_after_ms"); ms != object.end() && ms->is_number())
            return wait_of(ms->get<double>());
        if (const auto s = object.find("retry_after"); s != object.end() && s->is_number())
            return wait_of(s->get<double>() * 1000);
        return std::nullopt;
    };
    if (const auto found = look(json)) return found;
    const auto parameters = json.find("parameters");
    return parameters != json.end() && parameters->is_object() ? look(*parameters) : std::nullopt;
}

} // namespace

std::optional<milliseconds> retry_after(const HttpAnswer& answer, AlertTime now) {
    std::optional<milliseconds> longest;
    const auto consider = [&](std::optional<milliseconds> wait) {
        if (wait && (!longest || *wait > *longest)) longest = wait;
    };
    const auto header = answer.header("retry-after");
    if (const auto seconds = decimal(header))
        consider(wait_of(*seconds * 1000));
    else if (const auto date = http_date(header))
        consider(
            wait_of(static_cast<double>(std::max<std::int64_t>(0, (*date - now).count())) * 1000));
    if (answer.status == 429) {
        if (const auto seconds = decimal(answer.header("x-ratelimit-reset-after")))
            consider(wait_of(*seconds * 1000));
        consider(from_json(answer.body));
    }
    return longest;
}

milliseconds backoff(const AlertConfig& config, std::uint32_t failures, double chance) {
    const double first = static_cast<double>(config.first_retry.count());
    const double last =
        static_cast<double>(std::chrono::duration_cast<milliseconds>(config.last_retry).count());
    const double whole = std::min(last, first * std::pow(2, std::min(failures, 40U) - 1.0));
    return milliseconds(static_cast<std::int64_t>(whole * (0.5 + chance / 2)));
}

Judgement judge(const HttpAnswer& answer, AlertTime now) {
    Judgement result;
    result.why = answer.error;
    switch (answer.outcome) {
    case HttpOutcome::not_sent:
        result.whole_target = true;
        return result;
    case HttpOutcome::unknown:
        result.verdict = Verdict::unknown;
        return result;
    case HttpOutcome::refused:
        result.whole_target = true; // a wrong URL: somebody has to correct it
        return result;
    case HttpOutcome::answered:
        break;
    }
    const int status = answer.status;
    const auto remark = cut(clean(ascii::trim(answer.body)), 160, Unit::code_points);
    result.why = fmt::format("HTTP {}{}{}", status, remark.empty() ? "" : ": ", remark);
    result.after = retry_after(answer, now);
    if (status >= 200 && status < 300) {
        result.verdict = Verdict::taken;
    } else if (status == 410) {
        result.verdict = Verdict::disabled;
    } else if (status == 400 || status == 413 || status == 415 || status == 422) {
        result.verdict = Verdict::refused;
    } else if (status == 502 || status == 504) {
        // A proxy speaks, and does not know what the receiver did.
        result.verdict = Verdict::unknown;
    } else if (status >= 300 && status < 400) {
        result.whole_target = true;
        result.why = fmt::format("HTTP {}: redirects are not followed", status);
    } else {
        // Of 4xx what is left is a wrong URL or key, or too many requests: not this message's
        // fault.
        result.whole_target = status < 500 || status == 503 || result.after.has_value();
    }
    return result;
}

} // namespace wgkit::alert
