// One attempt: the request of each target, with its secrets.
#include "alert/payload.hpp"

#include <fmt/format.h>

#include "alert/signature.hpp"

namespace wgkit::alert {

namespace {

using std::chrono::milliseconds;

Error without(const AlertTarget& target, std::string_view what) {
    return {Errc::invalid, fmt::format("target {} has no {}", target.name, what), {}};
}

SecretString bearer(const SecretString& token) { return SecretString("Bearer ").append(token); }

/// Standard Webhooks headers, and those of GitHub's convention.
Result<void> sign(HttpRequest& request, const AlertTarget& target, const Batch& batch) {
    const auto timestamp = fmt::format("{}", batch.now.time_since_epoch().count());
    std::string signatures;
    for (const auto* source : {&target.signing_key, &target.old_signing_key}) {
        if (source->empty()) continue;
        const auto key = read_secret(*source);
        if (!key) return key.error();
        const auto signature = standard_signature(*key, batch.id, timestamp, request.body);
        if (!signature) return signature.error();
        signatures += (signatures.empty() ? "" : " ") + *signature;
    }
    request.headers.emplace_back("webhook-id", batch.id);
    request.headers.emplace_back("webhook-timestamp", timestamp);
    if (!signatures.empty()) request.headers.emplace_back("webhook-signature", signatures);
    if (!target.hub_key.empty()) {
        const auto key = read_secret(target.hub_key);
        if (!key) return key.error();
        request.headers.emplace_back("X-Hub-Signature-256", hub_signature(*key, request.body));
    }
    return {};
}

Result<HttpRequest> http_request(const AlertTarget& target, std::size_t url, const Batch& batch) {
    HttpRequest request;
    request.ca_file = target.ca_file;
    request.proxy = target.proxy;
    request.timeout = target.timeout;
    SecretString token;
    if (!target.token.empty()) {
        auto read = read_secret(target.token);
        if (!read) return std::move(read).error();
        token = *std::move(read);
    }
    if (url < target.urls.size()) {
        auto read = read_secret(target.urls[url]);
        if (!read) return std::move(read).error();
        request.url = *std::move(read);
    }
    std::string content_type = "application/json";
    bool with_bearer = false;
    switch (target.type) {
    case AlertTargetType::slack:
        request.body = slack_body(batch);
        break;
    case AlertTargetType::mattermost:
        request.body = mattermost_body(batch);
        break;
    case AlertTargetType::teams:
        request.body = teams_body(batch);
        break;
    case AlertTargetType::discord:
        request.body = discord_body(batch);
        // Without it Discord says nothing of a message that it did not keep.
        request.url.append(request.url.find('?') == SecretString::npos ? "?wait=true"
                                                                       : "&wait=true");
        break;
    case AlertTargetType::telegram:
        request.body = telegram_body(batch, target.chat);
        if (request.url.empty()) request.url = "https://api.telegram.org";
        request.url.append("/bot").append(token).append("/sendMessage");
        break;
    case AlertTargetType::ntfy:
        request.body = ntfy_body(batch, target.topic);
        with_bearer = true;
        break;
    case AlertTargetType::pagerduty: {
        if (request.url.empty()) request.url = "https://events.pagerduty.com/v2/enqueue";
        const auto text = pagerduty_body(batch, token);
        request.body.assign(text.begin(), text.end());
        break;
    }
    case AlertTargetType::alertmanager:
        request.body = alertmanager_body(batch);
        while (request.url.ends_with('/')) request.url.pop_back();
        request.url.append("/api/v2/alerts");
        with_bearer = true;
        break;
    case AlertTargetType::webhook:
        content_type = target.content_type;
        if (target.format == WebhookFormat::standard)
            request.body = standard_body(batch);
        else if (target.format == WebhookFormat::alertmanager)
            request.body = alertmanager_webhook_body(batch, target.name);
        else
            request.body = template_body(batch, target.body, content_type);
        with_bearer = true;
        break;
    case AlertTargetType::email:
    case AlertTargetType::exec:
        return without(target, "request");
    }
    if (request.url.empty()) return without(target, "URL");
    request.headers.emplace_back("Content-Type", content_type);
    if (with_bearer && !token.empty()) request.headers.emplace_back("Authorization", bearer(token));
    for (const auto& [name, value] : target.headers) request.headers.emplace_back(name, value);
    if (target.type == AlertTargetType::webhook) {
        auto is_signed = sign(request, target, batch);
        if (!is_signed) return std::move(is_signed).error();
    }
    return request;
}

} // namespace

Traits traits_of(const AlertTarget& target) {
    constexpr std::size_t many = 50; // more alerts in one message nobody reads
    switch (target.type) {
    case AlertTargetType::slack:
        return {many, 1, milliseconds(1000), false};
    case AlertTargetType::mattermost:
        return {many, 1, milliseconds(0), false};
    case AlertTargetType::discord:
        return {many, 1, milliseconds(500), false};
    case AlertTargetType::teams:
        return {many, 1, milliseconds(250), false};
    case AlertTargetType::telegram:
        return {many, 1, milliseconds(1000), false};
    case AlertTargetType::ntfy:
        return {many, 1, milliseconds(0), false};
    case AlertTargetType::pagerduty:
        return {1, 4, milliseconds(0), true};
    case AlertTargetType::alertmanager:
        return {200, 1, milliseconds(0), true};
    case AlertTargetType::webhook:
        return {target.format == WebhookFormat::alertmanager ? many : 1, 8, milliseconds(0), true};
    case AlertTargetType::email:
    case AlertTargetType::exec:
        return {many, 1, milliseconds(0), false};
    }
    return {};
}

Result<Outgoing> make_outgoing(const AlertTarget& target, std::size_t url, const Batch& batch) {
    Outgoing outgoing;
    if (target.type == AlertTargetType::email || target.type == AlertTargetType::exec) {
        outgoing.command = target.command;
        outgoing.input =
            target.type == AlertTargetType::email ? mail(target, batch) : exec_body(batch);
        return outgoing;
    }
    auto request = http_request(target, url, batch);
    if (!request) return std::move(request).error();
    outgoing.http = *std::move(request);
    return outgoing;
}

} // namespace wgkit::alert
