#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// HTTP requests to services. What sends them is a library of its own (libwgkit-http), loaded by
/// the programs when they need it.
namespace wgkit {

/// One request and its limits.
struct HttpRequest {
    std::string method = "POST";
    SecretString url; ///< http or https; often a secret as a whole
    std::vector<std::pair<std::string, SecretString>> headers;
    std::string body;
    std::string ca_file; ///< empty: the system's
    std::string proxy;   ///< empty: as the environment says (https_proxy, no_proxy)
    std::chrono::milliseconds timeout{15'000};
    std::size_t max_answer = std::size_t{64} << 10; ///< bytes; the rest is not read
    /// Hears the answer's body piece by piece instead, for answers that do not end. False ends the
    /// request; a `timeout` of 0 is none, but for the connection.
    std::function<bool(std::string_view)> on_data{};
};

/// How far a request came.
enum class HttpOutcome : std::uint8_t {
    answered, ///< `status` and all of the answer are there
    not_sent, ///< the receiver cannot have taken it: no address, no connection, no valid TLS
    unknown,  ///< it was sent, at least in part, and no whole answer came
    refused,  ///< we did not want to: not a URL, another scheme
};

/// What came of a request.
struct HttpAnswer {
    HttpOutcome outcome = HttpOutcome::refused;
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
    std::string body;
    bool cut = false;  ///< it was larger than max_answer
    std::string error; ///< for people, without the URL; empty if answered

    /// The header's value; empty if it is not there.
    std::string_view header(std::string_view name) const {
        for (const auto& [key, value] : headers)
            if (key == name) return value;
        return {};
    }
};

/// Sends requests, many at once. Redirects are never followed: they are answers.
class HttpPoster {
  public:
    virtual ~HttpPoster() = default;

    /// Begins a request; `id` tells its answer from others'.
    virtual void start(std::uint64_t id, HttpRequest request) = 0;
    /// Waits until an answer is there, or so long; returns all that are there. Nothing if none is
    /// under way, after a piece for an `on_data`, or when the descriptor of `wake_on` is readable.
    virtual std::vector<std::pair<std::uint64_t, HttpAnswer>>
    wait(std::chrono::milliseconds timeout) = 0;
    /// A descriptor that ends `wait` as soon as it is readable; -1: none.
    virtual void wake_on(int descriptor) = 0;
    /// Ends what is under way; its outcome is unknown.
    virtual void cancel() = 0;
};

/// One request and its answer, while nothing else is under way.
inline HttpAnswer fetch(HttpPoster& poster, HttpRequest request) {
    const auto limit = request.timeout;
    poster.start(0, std::move(request));
    auto answers = poster.wait(limit + std::chrono::seconds(5));
    if (!answers.empty()) return std::move(answers.front().second);
    poster.cancel();
    HttpAnswer none;
    none.outcome = HttpOutcome::unknown;
    none.error = "no answer in time";
    return none;
}

/// Scheme, host and port of a URL, the rest as "/...": for messages. Paths and queries of webhooks
/// are secrets.
inline std::string redacted_url(std::string_view url) {
    const auto start = url.find("://");
    if (start == std::string_view::npos) return "(no URL)";
    const auto end = url.find_first_of("/?#", start + 3);
    const auto authority = url.substr(start + 3, end == url.npos ? url.npos : end - start - 3);
    const auto at = authority.rfind('@');
    std::string text(url.substr(0, start + 3));
    text += authority.substr(at == authority.npos ? 0 : at + 1);
    return text + "/...";
}

} // namespace wgkit
