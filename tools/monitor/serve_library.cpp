// A library of its own, see serve.hpp: libmicrohttpd around a Site.
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sodium.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/exit_code.hpp"
#include "monitor/serve.hpp"
#include "monitor/site.hpp"
#include "util/ascii.hpp"
#include "util/sockaddr.hpp"
#include "wgkit/files.hpp"
#include "wgkit/ip.hpp"

namespace wgkit::tool::monitor {

namespace {

/// Only what comes from here, nothing in frames, nothing sent anywhere.
constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view header(MHD_Connection* connection, const char* name) {
    const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value == nullptr ? std::string_view() : value;
}

/// Who may come in.
class Gate {
  public:
    Gate(SecretString users, std::vector<std::string> hosts)
        : users_(std::move(users)), hosts_(std::move(hosts)) {}

    /// A name that somebody else may have pointed to this machine gets no answer: a page in a
    /// browser must not read what is meant for its user.
    bool knows_host(std::string_view host) const {
        const auto end = host.starts_with('[') ? host.find(']') : host.rfind(':');
        std::string_view name = host.substr(0, end);
        if (name.starts_with('[')) name.remove_prefix(1);
        if (ascii::iequals(name, "localhost") || IpAddress::parse(name)) return true;
        for (const auto& one : hosts_)
            if (ascii::iequals(name, one)) return true;
        return false;
    }
    /// "Basic ..." of a user, or "Bearer PASSWORD".
    bool lets_in(std::string_view authorization) const {
        if (users_.empty()) return true;
        SecretString said(authorization);
        const bool basic = ascii::iequals(authorization.substr(0, 6), "Basic ");
        const bool bearer = ascii::iequals(authorization.substr(0, 7), "Bearer ");
        if (!basic && !bearer) return false;
        said.erase(0, basic ? 6 : 7);
        if (basic) said = decoded(said);
        bool good = false; // every line is compared, in constant time
        std::string_view rest = users_;
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            std::string_view line = ascii::trim(rest.substr(0, end));
            rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
            if (bearer) line.remove_prefix(std::min(line.size(), line.find(':') + 1));
            if (!line.empty() && equal(line, said)) good = true;
        }
        return good;
    }

  private:
    static SecretString decoded(std::string_view base64) {
        SecretString text(base64.size(), '\0');
        std::size_t size = 0;
        if (sodium_base642bin(reinterpret_cast<unsigned char*>(text.data()), text.size(),
                              base64.data(), base64.size(), nullptr, &size, nullptr,
                              sodium_base64_VARIANT_ORIGINAL)
            != 0)
            size = 0;
        text.resize(size);
        return text;
    }
    /// Hashes are compared, so that the time tells neither text nor length.
    static bool equal(std::string_view a, std::string_view b) {
        std::array<unsigned char, crypto_generichash_BYTES> x{}, y{};
        const auto hash = [](std::string_view text, auto& out) {
            crypto_generichash(out.data(), out.size(),
                               reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                               nullptr, 0);
        };
        hash(a, x);
        hash(b, y);
        return sodium_memcmp(x.data(), y.data(), x.size()) == 0;
    }

    SecretString users_; ///< lines USER:PASSWORD
    std::vector<std::string> hosts_;
};

struct Server {
    Site site;
    Gate gate;
};

MHD_Result send(MHD_Connection* connection, const Page& page) {
    MHD_Response* response = MHD_create_response_from_buffer(
        page.body.size(), const_cast<char*>(page.body.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    const auto add = [&](const char* name, const char* value) {
        MHD_add_response_header(response, name, value);
    };
    add("Content-Type", std::string(page.type).c_str());
    add("Content-Security-Policy", content_policy);
    add("X-Content-Type-Options", "nosniff");
    add("Referrer-Policy", "no-referrer");
    add("Cross-Origin-Resource-Policy", "same-origin");
    add("Cache-Control", "no-store");
    if (page.status == 401) add("WWW-Authenticate", "Basic realm=\"wgkit\", charset=\"UTF-8\"");
    if (page.status == 405) add("Allow", "GET, HEAD");
    const auto queued =
        MHD_queue_response(connection, static_cast<unsigned>(page.status), response);
    MHD_destroy_response(response);
    return queued;
}

Page answer(Server& server, MHD_Connection* connection, std::string_view path,
            std::string_view method) {
    if (!server.gate.knows_host(header(connection, "Host")))
        return {421, "text/plain; charset=utf-8", "not the host that was asked for; see --host\n"};
    if (!server.gate.lets_in(header(connection, "Authorization")))
        return {401, "text/plain; charset=utf-8", "a user and a password are needed\n"};
    if (method != "GET" && method != "HEAD")
        return {405, "text/plain; charset=utf-8", "only GET and HEAD\n"};
    return server.site.get(path, header(connection, "Accept"));
}

MHD_Result on_request(void* context, MHD_Connection* connection, const char* url,
                      const char* method, const char*, const char*, std::size_t* upload,
                      void** begun) {
    static int mark;
    if (*begun == nullptr) { // the headers are there; answers come at the second call
        *begun = &mark;
        return MHD_YES;
    }
    if (*upload != 0) { // nobody wants a body
        *upload = 0;
        return MHD_YES;
    }
    return send(connection, answer(*static_cast<Server*>(context), connection, url, method));
}

bool is_loopback(const IpAddress& address) {
    static const Prefix v4 = *Prefix::parse("127.0.0.0/8");
    return address.is_v4() ? v4.contains(address) : address == *IpAddress::parse("::1");
}

int serve(const ServeOptions& options, const Report& report) {
    const auto endpoint = Endpoint::parse(options.listen);
    const auto address = endpoint ? IpAddress::parse(endpoint->host) : std::nullopt;
    if (!address) {
        report.error(fmt::format("--listen '{}' is not ADDRESS:PORT", options.listen),
                     "127.0.0.1:9591, or [::1]:9591");
        return exit_usage;
    }
    SecretString users;
    if (!options.auth_file.empty()) {
        auto read = files::read_secret(options.auth_file);
        if (!read) return report.error(read.error());
        users = *std::move(read);
        if (users.find(':') == users.npos) {
            report.error(fmt::format("{} has no line USER:PASSWORD", options.auth_file));
            return exit_failed;
        }
    } else if (!is_loopback(*address)) {
        report.error(fmt::format("{} can be reached from elsewhere, and nobody would be asked for "
                                 "a password",
                                 options.listen),
                     "give --auth-file FILE, or listen on 127.0.0.1 behind a proxy with TLS");
        return exit_failed;
    }
    Server server{Site(seconds(options.max_age)), Gate(std::move(users), options.hosts)};
    if (options.fleet.empty())
        server.site.show_state(options.state);
    else
        server.site.show_fleet(options.fleet);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr); // before the server's thread begins
    std::signal(SIGPIPE, SIG_IGN);
    sockaddr_storage where{};
    to_sockaddr(*address, endpoint->port, 0, where);
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD
                           | (address->is_v4() ? 0U : static_cast<unsigned>(MHD_USE_IPv6));
    MHD_Daemon* daemon = MHD_start_daemon(
        flags, endpoint->port, nullptr, nullptr, &on_request, &server, MHD_OPTION_SOCK_ADDR,
        reinterpret_cast<sockaddr*>(&where), MHD_OPTION_CONNECTION_LIMIT, 128U,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, 64U, MHD_OPTION_CONNECTION_TIMEOUT, 15U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{32} << 10, MHD_OPTION_END);
    if (daemon == nullptr) {
        report.error(fmt::format("cannot listen on {}: {}", options.listen, std::strerror(errno)));
        return exit_failed;
    }
    report.note(fmt::format("listening on http://{}/", options.listen));
    int signal = 0;
    sigwait(&ends, &signal);
    MHD_stop_daemon(daemon);
    return exit_ok;
}

} // namespace

} // namespace wgkit::tool::monitor

extern "C" __attribute__((visibility("default"))) int
wgkit_serve(const wgkit::tool::monitor::ServeOptions& options, const wgkit::tool::Report& report) {
    return wgkit::tool::monitor::serve(options, report);
}
