#include <fmt/format.h>

#include <array>
#include <ctime>

#include "util/ascii.hpp"
#include "wgkit/headscale.hpp"

namespace wgkit::headscale {

namespace {

/// Ten thousand nodes are some 10 MiB.
constexpr std::size_t max_answer = std::size_t{64} << 20;

enum Question : std::size_t { nodes_, keys_, version_, machines_, routes_, question_count };
constexpr std::array<const char*, question_count> paths{
    "/api/v1/node", "/api/v1/apikey", "/version", "/api/v1/machine", "/api/v1/routes"};

/// Wiped when it dies: it may hold keys that let nodes in.
struct Answer : HttpAnswer {
    explicit Answer(HttpAnswer answer = {}) : HttpAnswer(std::move(answer)) {}
    Answer(Answer&&) = default;
    Answer& operator=(Answer&& other) noexcept {
        std::swap(static_cast<HttpAnswer&>(*this), static_cast<HttpAnswer&>(other));
        return *this;
    }
    ~Answer() { wipe(body.data(), body.size()); }

    bool good() const { return outcome == HttpOutcome::answered && status == 200 && !cut; }
};

class Client {
  public:
    Client(HttpPoster& poster, const Access& access) : poster_(poster), access_(access) {}

    /// Asks all of them at once.
    std::array<Answer, question_count> ask(std::initializer_list<Question> questions) {
        for (const auto question : questions) {
            HttpRequest request;
            request.method = "GET";
            request.url = access_.url;
            while (request.url.ends_with('/')) request.url.pop_back();
            request.url += paths.at(question);
            if (question != version_) {
                SecretString bearer("Bearer ");
                bearer += access_.key;
                request.headers.emplace_back("Authorization", std::move(bearer));
            }
            request.headers.emplace_back("Accept", "application/json");
            request.ca_file = access_.ca_file;
            request.timeout = access_.timeout;
            request.max_answer = max_answer;
            poster_.start(question, std::move(request));
        }
        std::array<Answer, question_count> answers;
        for (std::size_t left = questions.size(); left > 0;) {
            auto some = poster_.wait(access_.timeout + seconds(5));
            if (some.empty()) {
                poster_.cancel();
                break;
            }
            for (auto& [id, answer] : some) answers.at(id) = Answer(std::move(answer));
            left -= std::min(left, some.size());
        }
        return answers;
    }

    std::string where(Question question) const {
        return fmt::format("{}{}", access_.url, paths.at(question));
    }

    /// What kept an answer from being one.
    Error error(Question question, const Answer& answer) const {
        const std::string at = where(question);
        if (answer.outcome != HttpOutcome::answered)
            return {Errc::system,
                    fmt::format("{}: {}", at, answer.error.empty() ? "no answer" : answer.error),
                    {}};
        // Up to 0.26 a key that cannot be read is an error of the server.
        const bool unauthorized = ascii::trim(answer.body).starts_with("Unauthorized");
        if (answer.status == 401 || answer.status == 403 || (answer.status == 500 && unauthorized))
            return {Errc::permission,
                    fmt::format("{}: the API key is not accepted (status {})", at, answer.status),
                    "it may have expired: headscale apikeys list, headscale apikeys create"};
        if (answer.status >= 300 && answer.status < 400)
            return {Errc::invalid,
                    fmt::format("{}: it sends to another address (status {})", at, answer.status),
                    "give the URL of the server itself; a key is not sent elsewhere"};
        if (answer.status == 404)
            return {Errc::not_found, fmt::format("{}: there is no Headscale (status 404)", at),
                    "give the URL of the server, without a path"};
        if (answer.cut)
            return {Errc::invalid, fmt::format("{}: the answer is larger than 64 MiB", at), {}};
        return {Errc::system, fmt::format("{}: status {}", at, answer.status), {}};
    }

  private:
    HttpPoster& poster_;
    const Access& access_;
};

/// "Tue, 24 Nov 2026 11:02:13 GMT"
std::optional<Time> http_date(std::string_view text) {
    std::tm parts{};
    const char* end = ::strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr) return std::nullopt;
    return Time(seconds(::timegm(&parts)));
}

/// {"version":"v0.27.1",...}, of which nothing else is wanted.
std::string version_in(std::string_view json) {
    constexpr std::string_view key = "\"version\"";
    const auto at = json.find(key);
    if (at == std::string_view::npos) return {};
    const auto open = json.find('"', at + key.size());
    const auto close = open == std::string_view::npos ? open : json.find('"', open + 1);
    if (close == std::string_view::npos || close - open > 40) return {};
    std::string version(json.substr(open + 1, close - open - 1));
    for (char& c : version)
        if (!ascii::is_alnum(c) && std::string_view(".-+").find(c) == std::string_view::npos)
            c = '?';
    return version;
}

} // namespace

Result<void> check_url(std::string_view url) {
    const auto wrong = [](const char* what, const char* hint) {
        return Error{Errc::invalid, what, hint};
    };
    const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
    if (scheme == 0 || url.size() == scheme)
        return wrong("--headscale needs an http or https URL", "https://headscale.example.com");
    const auto authority = url.substr(scheme, url.find('/', scheme) - scheme);
    if (authority.find('@') != std::string_view::npos)
        return wrong("the URL of --headscale must not hold a password",
                     "everybody on this machine sees it; an API key comes from a file");
    if (url.find_first_of("?#") != std::string_view::npos)
        return wrong("the URL of --headscale must not have a query", "");
    return {};
}

Result<Snapshot> look(HttpPoster& poster, const Access& access, Time now) {
    if (auto good = check_url(access.url); !good) return good.error();
    Client client(poster, access);
    auto answers = client.ask({nodes_, keys_, version_});
    Question asked = nodes_;
    Snapshot snapshot;
    if (answers[nodes_].outcome == HttpOutcome::answered && answers[nodes_].status == 404) {
        auto older = client.ask({machines_});
        if (older[machines_].status != 404) {
            asked = machines_;
            answers[machines_] = std::move(older[machines_]);
            snapshot.heartbeat = true;
        }
    }
    const Answer& list = answers.at(asked);
    if (!list.good()) return client.error(asked, list);
    auto nodes = parse_nodes(list.body);
    if (!nodes) {
        Error error = std::move(nodes).error();
        error.message = fmt::format("{}: {}", client.where(asked), error.message);
        return error;
    }
    snapshot.nodes = *std::move(nodes);
    snapshot.now = http_date(list.header("date")).value_or(now);
    // What else is asked is a help: without it nodes are judged all the same.
    if (answers[keys_].good())
        if (const auto expiry = parse_key_expiry(answers[keys_].body, access.key))
            snapshot.key_expiry = *expiry;
    if (answers[version_].good()) snapshot.version = version_in(answers[version_].body);
    const bool tells_routes = list.body.find("\"approvedRoutes\"") != std::string::npos;
    if (!tells_routes && !snapshot.nodes.empty()) {
        const auto routes = client.ask({routes_});
        if (routes[routes_].good()) (void)add_routes(routes[routes_].body, snapshot.nodes);
    }
    return snapshot;
}

} // namespace wgkit::headscale
