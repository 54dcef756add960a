#include "store/watch.hpp"

#include <fmt/format.h>

#include "store/wire.hpp"
#include "trust/signing.hpp"
#include "util/json_text.hpp"

namespace wgkit::store {

using nlohmann::json;

namespace {

constexpr std::size_t max_line = std::size_t{64} << 20;

} // namespace

/// The answer so far: a JSON object a line.
struct Watch::Stream {
    std::string buffer;
    WatchNews news;
    std::size_t prefixes = 0;
    std::size_t created = 0;

    bool take(std::string_view data) {
        buffer += data;
        std::size_t begin = 0;
        for (auto end = buffer.find('\n'); end != buffer.npos; end = buffer.find('\n', begin)) {
            take_line(std::string_view(buffer).substr(begin, end - begin));
            begin = end + 1;
        }
        buffer.erase(0, begin);
        return buffer.size() < max_line;
    }

    void take_line(std::string_view line) {
        const auto read = json_text::parse(line);
        if (!read.is_object()) return;
        if (const auto error = read.find("error"); error != read.end()) {
            news.error = wire::refusal(error->dump(), 0).message;
            return;
        }
        const auto result = read.find("result");
        if (result == read.end() || !result->is_object()) return;
        if (result->value("created", false) && ++created == prefixes) news.is_connected = true;
        if (wire::number(*result, "compact_revision") != 0) news.compacted = true;
        if (result->value("canceled", false))
            news.error = result->value("cancel_reason", "the watch was cancelled");
        const auto events = result->find("events");
        if (events == result->end() || !events->is_array()) return;
        for (const auto& one : *events) {
            const auto kv = one.find("kv");
            if (kv == one.end()) continue;
            news.events.push_back({wire::key_value(*kv), one.value("type", "PUT") == "DELETE"});
        }
    }
};

Watch::Watch(HttpPoster& poster, Client& client) : poster_(poster), client_(client) {}
Watch::~Watch() { stop(); }

void Watch::stop() {
    poster_.cancel();
    stream_.reset();
}

Result<void> Watch::start(const std::vector<std::string>& prefixes, std::int64_t from) {
    stop();
    auto headers = client_.headers();
    if (!headers) return headers.error();
    stream_ = std::make_shared<Stream>();
    stream_->prefixes = prefixes.size();
    HttpRequest request;
    request.url = SecretString(client_.member()) + "/v3/watch";
    request.headers = *std::move(headers);
    // A member that is cut off from the others would else stay silent.
    request.headers.emplace_back("Grpc-Metadata-hasleader", SecretString("true"));
    for (const auto& prefix : prefixes)
        request.body +=
            json_text::dump(json{{"create_request",
                                  {{"key", trust::to_base64(prefix)},
                                   {"range_end", trust::to_base64(wire::range_end(prefix))},
                                   {"start_revision", std::to_string(from)}}}})
            + "\n";
    request.ca_file = client_.access().ca_file;
    request.timeout = std::chrono::milliseconds(0);
    request.on_data = [stream = stream_](std::string_view data) { return stream->take(data); };
    poster_.start(1, std::move(request));
    return {};
}

WatchNews Watch::wait(std::chrono::milliseconds timeout) {
    if (!stream_) return {{}, false, false, "not started"};
    const auto answers = poster_.wait(timeout);
    WatchNews news = std::exchange(stream_->news, {});
    stream_->news.is_connected = news.is_connected;
    if (!answers.empty() && news.error.empty()) {
        const auto& answer = answers.front().second;
        news.error = answer.outcome == HttpOutcome::answered
                         ? fmt::format("the store ended the watch ({})", answer.status)
                         : answer.error;
        if (news.error.empty()) news.error = "the watch ended";
    }
    if (!news.error.empty() || news.compacted) stop();
    return news;
}

} // namespace wgkit::store
