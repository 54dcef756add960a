#include "store/client.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "store/wire.hpp"
#include "trust/signing.hpp"
#include "util/json_text.hpp"

namespace wgkit::store {

using nlohmann::json;
using trust::to_base64;

namespace {

constexpr std::size_t max_answer = std::size_t{256} << 20;

/// Another member may do better.
bool is_about_member(const Error& error) {
    const auto says = [&](std::string_view part) {
        return error.message.find(part) != std::string::npos;
    };
    return says("no leader") || says("timed out") || says("leader changed") || says("stopped");
}

Error lost(const HttpAnswer& answer, const std::string& member) {
    return {Errc::system, fmt::format("store {}: {}", member, answer.error), {}};
}

} // namespace

const KeyValue* Snapshot::find(std::string_view key) const {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const KeyValue& one) { return one.key == key; });
    return found != entries.end() ? &*found : nullptr;
}

Client::Client(HttpPoster& poster, Access access) : poster_(poster), access_(std::move(access)) {}

void Client::start_anywhere() {
    member_ = randombytes_uniform(static_cast<std::uint32_t>(access_.members.size()));
}

HttpAnswer Client::post(std::string_view path, const std::string& body, bool with_token) {
    HttpRequest request;
    request.url = SecretString(member()) + SecretString(path);
    request.body = body;
    request.ca_file = access_.ca_file;
    request.timeout = timeout;
    request.max_answer = max_answer;
    if (with_token && !token_.empty()) request.headers.emplace_back("Authorization", token_);
    return fetch(poster_, std::move(request));
}

Result<void> Client::log_in() {
    if (access_.user.empty() || !token_.empty()) return {};
    std::string body =
        json_text::dump(json{{"name", access_.user}, {"password", std::string(access_.password)}});
    auto answer = post("/v3/auth/authenticate", body, false);
    wipe(body.data(), body.size());
    if (answer.outcome != HttpOutcome::answered) return lost(answer, member());
    const auto read = json_text::parse(answer.body);
    wipe(answer.body.data(), answer.body.size());
    if (answer.status != 200) {
        auto error =
            wire::refusal(read.is_object() ? json_text::dump(read) : std::string(), answer.status);
        error.hint = "the user was removed, or its password is another";
        return error;
    }
    if (const auto found = read.find("token"); found != read.end() && found->is_string())
        token_ = SecretString(found->get<std::string>());
    return {};
}

Result<std::vector<std::pair<std::string, SecretString>>> Client::headers() {
    if (auto in = log_in(); !in) return in.error();
    std::vector<std::pair<std::string, SecretString>> out;
    if (!token_.empty()) out.emplace_back("Authorization", token_);
    return out;
}

Result<std::string> Client::call(std::string_view path, const std::string& body) {
    Error last{Errc::system, "no store is named", {}};
    bool logged_in_again = false;
    // Once around all members.
    for (std::size_t tries = 0; tries < access_.members.size(); ++tries) {
        if (auto in = log_in(); !in) {
            if (in.error().code == Errc::permission) return in.error();
            last = in.error();
            next_member();
            continue;
        }
        auto answer = post(path, body, true);
        if (answer.outcome == HttpOutcome::answered) {
            if (answer.status == 200) return std::move(answer.body);
            last = wire::refusal(answer.body, answer.status);
            const bool token_is_old = last.message.find("invalid auth token") != std::string::npos;
            if (token_is_old && !std::exchange(logged_in_again, true)) {
                token_.clear();
                --tries; // the same member once more
                continue;
            }
            if (!is_about_member(last)) return last;
        } else {
            last = lost(answer, member());
            // Whether it was done is not known, so it is not done again by itself.
            if (answer.outcome == HttpOutcome::unknown && path == "/v3/kv/txn") {
                next_member();
                return last;
            }
        }
        next_member();
    }
    return last;
}

Result<Snapshot> Client::get(std::string_view key) {
    const auto answer = call("/v3/kv/range", json_text::dump(json{{"key", to_base64(key)}}));
    if (!answer) return answer.error();
    const auto read = json_text::parse(*answer);
    if (!read.is_object()) return Error{Errc::system, "the store's answer is no JSON", {}};
    Snapshot out;
    if (const auto header = read.find("header"); header != read.end())
        out.revision = wire::number(*header, "revision");
    if (const auto kvs = read.find("kvs"); kvs != read.end())
        for (const auto& one : *kvs) out.entries.push_back(wire::key_value(one));
    return out;
}

Result<Snapshot> Client::get_prefixes(const std::vector<std::string>& prefixes) {
    // Reads of one transaction see one revision.
    auto reads = json::array();
    for (const auto& prefix : prefixes)
        reads.push_back({{"requestRange",
                          {{"key", to_base64(prefix)},
                           {"range_end", to_base64(wire::range_end(prefix))},
                           {"sort_target", "CREATE"},
                           {"sort_order", "ASCEND"}}}});
    const auto answer = call("/v3/kv/txn", json_text::dump(json{{"success", std::move(reads)}}));
    if (!answer) return answer.error();
    const auto read = json_text::parse(*answer);
    const auto responses = read.find("responses");
    if (!read.is_object() || responses == read.end())
        return Error{Errc::system, "the store's answer is malformed", {}};
    Snapshot out;
    if (const auto header = read.find("header"); header != read.end())
        out.revision = wire::number(*header, "revision");
    for (const auto& response : *responses) {
        const auto range = response.find("response_range");
        if (range == response.end()) continue;
        if (const auto kvs = range->find("kvs"); kvs != range->end())
            for (const auto& one : *kvs) out.entries.push_back(wire::key_value(one));
    }
    return out;
}

Result<Commit> Client::commit(const Transaction& transaction) {
    auto compares = json::array();
    for (const auto& [key, revision] : transaction.unchanged)
        compares.push_back({{"key", to_base64(key)},
                            {"target", "MOD"},
                            {"result", "EQUAL"},
                            {"mod_revision", std::to_string(revision)}});
    auto operations = json::array();
    for (const auto& [key, value] : transaction.puts)
        operations.push_back(
            {{"requestPut", {{"key", to_base64(key)}, {"value", to_base64(value)}}}});
    for (const auto& key : transaction.removals)
        operations.push_back({{"requestDeleteRange", {{"key", to_base64(key)}}}});
    const auto answer =
        call("/v3/kv/txn", json_text::dump(json{{"compare", std::move(compares)},
                                                {"success", std::move(operations)}}));
    if (!answer) return answer.error();
    const auto read = json_text::parse(*answer);
    if (!read.is_object()) return Error{Errc::system, "the store's answer is no JSON", {}};
    Commit out;
    out.done = read.value("succeeded", false);
    if (const auto header = read.find("header"); header != read.end())
        out.revision = wire::number(*header, "revision");
    return out;
}

} // namespace wgkit::store
