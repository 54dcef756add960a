#include <curl/curl.h>
#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <map>

#include "http/http.hpp"
#include "util/ascii.hpp"
#include "wgkit/version.hpp"

namespace wgkit::http {

namespace {

constexpr std::size_t most_headers = 100;
constexpr std::size_t longest_header = 8192;
constexpr long stream_connect_ms = 5000;

struct Transfer {
    std::uint64_t id = 0;
    HttpRequest request;
    HttpAnswer answer;
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    std::array<char, CURL_ERROR_SIZE> error{};
    bool has_pieces = false; ///< for on_data, since somebody looked

    Transfer() = default;
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() {
        if (easy != nullptr) curl_easy_cleanup(easy);
        for (auto* one = headers; one != nullptr; one = one->next)
            wipe(one->data, std::char_traits<char>::length(one->data));
        curl_slist_free_all(headers);
    }
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* pointer) {
    auto& transfer = *static_cast<Transfer*>(pointer);
    auto& answer = transfer.answer;
    if (transfer.request.on_data) {
        transfer.has_pieces = true;
        answer.cut = !transfer.request.on_data({data, size});
        return answer.cut ? 0 : size;
    }
    const auto max = transfer.request.max_answer;
    const auto room = max - std::min(max, answer.body.size());
    answer.body.append(data, std::min(room, size));
    if (size <= room) return size;
    answer.cut = true;
    return 0; // ends the transfer
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* pointer) {
    auto& answer = *static_cast<HttpAnswer*>(pointer);
    const std::string_view line = ascii::trim(std::string_view(data, size));
    if (line.starts_with("HTTP/")) { // of the next answer: 100 Continue may come before
        answer.headers.clear();
        return size;
    }
    const auto colon = line.find(':');
    if (colon == line.npos || size > longest_header || answer.headers.size() >= most_headers)
        return size;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = ascii::lower(c);
    answer.headers.emplace_back(std::move(name), ascii::trim(line.substr(colon + 1)));
    return size;
}

/// Nothing of the request can have reached the receiver's program.
bool came_before_request(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_PROXY:
    case CURLE_OUT_OF_MEMORY:
        return true;
    default:
        return false;
    }
}

class CurlPoster final : public HttpPoster {
  public:
    CurlPoster() : multi_(curl_multi_init()) { allow_connections(64); }
    ~CurlPoster() override {
        cancel();
        curl_multi_cleanup(multi_);
    }
    CurlPoster(const CurlPoster&) = delete;
    CurlPoster& operator=(const CurlPoster&) = delete;

    void start(std::uint64_t id, HttpRequest request) override {
        auto transfer = std::make_unique<Transfer>();
        transfer->id = id;
        transfer->request = std::move(request);
        const SecretString& url = transfer->request.url;
        const bool is_http = url.starts_with("https://") || url.starts_with("http://");
        if (!is_http || url.find_first_of(" \t\r\n") != url.npos) {
            refuse(*transfer, "not an http or https URL");
            return;
        }
        if (!set_up(*transfer)) {
            refuse(*transfer, "out of memory");
            return;
        }
        if (transfer->request.on_data) allow_connections(connections_ + 1); // it keeps its own
        curl_multi_add_handle(multi_, transfer->easy);
        const auto* key = transfer->easy;
        under_way_.emplace(key, std::move(transfer));
    }

    std::vector<std::pair<std::uint64_t, HttpAnswer>>
    wait(std::chrono::milliseconds timeout) override {
        const auto end = std::chrono::steady_clock::now() + timeout;
        while (true) {
            int running = 0;
            curl_multi_perform(multi_, &running);
            collect();
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now());
            if (!done_.empty() || under_way_.empty() || left.count() <= 0 || take_pieces()
                || is_woken())
                return std::exchange(done_, {});
            curl_waitfd extra{wake_, CURL_WAIT_POLLIN, 0};
            curl_multi_poll(multi_, &extra, wake_ >= 0 ? 1 : 0, static_cast<int>(left.count()),
                            nullptr);
        }
    }

    void cancel() override {
        for (auto& [easy, transfer] : under_way_) curl_multi_remove_handle(multi_, transfer->easy);
        under_way_.clear();
        done_.clear();
    }

    void wake_on(int descriptor) override { wake_ = descriptor; }

  private:
    void allow_connections(long count) {
        connections_ = count;
        curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, count);
    }

    /// Whether a piece came for some on_data.
    bool take_pieces() {
        bool any = false;
        for (auto& [easy, transfer] : under_way_)
            any = std::exchange(transfer->has_pieces, false) || any;
        return any;
    }

    bool is_woken() const {
        pollfd one{wake_, POLLIN, 0};
        return wake_ >= 0 && ::poll(&one, 1, 0) > 0;
    }

    void refuse(Transfer& transfer, const char* why) {
        transfer.answer.outcome = HttpOutcome::refused;
        transfer.answer.error = why;
        done_.emplace_back(transfer.id, std::move(transfer.answer));
    }

    static bool set_up(Transfer& transfer) {
        CURL* easy = transfer.easy = curl_easy_init();
        if (easy == nullptr) return false;
        auto& request = transfer.request;
        const auto set = [&](CURLoption option, auto value) {
            return curl_easy_setopt(easy, option, value) == CURLE_OK;
        };
        bool good =
            set(CURLOPT_URL, request.url.c_str()) && set(CURLOPT_PROTOCOLS_STR, "http,https")
            && set(CURLOPT_FOLLOWLOCATION, 0L) && set(CURLOPT_NOSIGNAL, 1L)
            && set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()))
            && set(CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.timeout.count() != 0 ? request.timeout.count()
                                                                  : stream_connect_ms))
            && set(CURLOPT_TCP_KEEPALIVE, 1L) && set(CURLOPT_TCP_KEEPIDLE, 15L)
            && set(CURLOPT_TCP_KEEPINTVL, 5L)
            && set(CURLOPT_USERAGENT, ("wgkit/" + std::string(version)).c_str())
            && set(CURLOPT_ERRORBUFFER, transfer.error.data())
            && set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && set(CURLOPT_WRITEFUNCTION, &take_body)
            && set(CURLOPT_WRITEDATA, &transfer) && set(CURLOPT_HEADERFUNCTION, &take_header)
            && set(CURLOPT_HEADERDATA, &transfer.answer) && set(CURLOPT_PRIVATE, &transfer)
            && set(CURLOPT_SSL_VERIFYPEER, 1L) && set(CURLOPT_SSL_VERIFYHOST, 2L);
        if (request.method == "POST")
            good =
                good && set(CURLOPT_POST, 1L) && set(CURLOPT_POSTFIELDS, request.body.data())
                && set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        else if (request.method != "GET")
            good = good && set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
        if (!request.ca_file.empty()) good = good && set(CURLOPT_CAINFO, request.ca_file.c_str());
        if (!request.proxy.empty()) good = good && set(CURLOPT_PROXY, request.proxy.c_str());
        // Without it curl waits a second for "100 Continue" before longer bodies.
        transfer.headers = curl_slist_append(nullptr, "Expect:");
        for (const auto& [name, value] : request.headers) {
            SecretString line(name);
            line.append(": ").append(value);
            transfer.headers = curl_slist_append(transfer.headers, line.c_str());
        }
        return good && set(CURLOPT_HTTPHEADER, transfer.headers);
    }

    void collect() {
        int left = 0;
        while (const auto* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            const auto code = message->data.result;
            const auto found = under_way_.find(message->easy_handle);
            auto transfer = std::move(found->second);
            if (transfer->request.on_data) allow_connections(connections_ - 1);
            under_way_.erase(found);
            curl_multi_remove_handle(multi_, transfer->easy);
            finish(*transfer, code);
            done_.emplace_back(transfer->id, std::move(transfer->answer));
        }
    }

    static void finish(Transfer& transfer, CURLcode code) {
        auto& answer = transfer.answer;
        long status = 0, sent = 0;
        curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(transfer.easy, CURLINFO_REQUEST_SIZE, &sent);
        answer.status = static_cast<int>(status);
        if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && answer.cut)) {
            answer.outcome = HttpOutcome::answered;
            return;
        }
        answer.outcome = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL
                             ? HttpOutcome::refused
                         : came_before_request(code) || sent == 0 ? HttpOutcome::not_sent
                                                                  : HttpOutcome::unknown;
        // libcurl's own words may hold the host, never the path or what follows it.
        answer.error = fmt::format("{}", transfer.error.front() != '\0' ? transfer.error.data()
                                                                        : curl_easy_strerror(code));
        if (!answer.error.empty()) answer.error[0] = ascii::lower(answer.error[0]);
    }

    CURLM* multi_;
    long connections_ = 0;
    int wake_ = -1;
    std::map<const CURL*, std::unique_ptr<Transfer>> under_way_;
    std::vector<std::pair<std::uint64_t, HttpAnswer>> done_;
};

} // namespace

std::unique_ptr<HttpPoster> make_poster() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return std::make_unique<CurlPoster>();
}

} // namespace wgkit::http

extern "C" const wgkit::http::Functions wgkit_http{wgkit::http::make_poster};
