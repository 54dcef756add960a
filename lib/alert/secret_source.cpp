// Secrets from where they are kept.
#include <fmt/format.h>

#include <unistd.h>

#include <cstdlib>

#include "wgkit/alert_config.hpp"
#include "wgkit/files.hpp"

namespace wgkit {

namespace {

SecretString without_end(SecretString text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    return text;
}

} // namespace

bool SecretSource::empty() const {
    return file.empty() && environment.empty() && credential.empty() && text.empty();
}

Result<SecretString> read_secret(const SecretSource& source) {
    if (!source.text.empty()) return SecretString(source.text);
    if (!source.environment.empty()) {
        const char* value = std::getenv(source.environment.c_str());
        if (value == nullptr || *value == '\0')
            return Error{
                Errc::not_found, fmt::format("the environment has no {}", source.environment), {}};
        return without_end(SecretString(value));
    }
    std::string path = source.file;
    bool is_credential = false;
    if (!source.credential.empty()) {
        const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
        if (folder == nullptr)
            return Error{Errc::not_found,
                         fmt::format("there is no credential '{}'", source.credential),
                         "it comes from LoadCredential= of the systemd unit"};
        path = fmt::format("{}/{}", folder, source.credential);
        is_credential = true; // systemd's folder is closed to others, its files may seem open
    }
    auto read = files::read_secret(path, is_credential);
    if (!read) return read;
    auto text = without_end(*std::move(read));
    if (text.empty()) return Error{Errc::invalid, fmt::format("{} is empty", path), {}};
    return text;
}

std::string default_alert_spool() {
    const char* user_folder = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    if (::geteuid() == 0 || (user_folder == nullptr && home == nullptr))
        return "/var/lib/wgkit/alert";
    return user_folder != nullptr && *user_folder == '/'
               ? fmt::format("{}/wgkit/alert", user_folder)
               : fmt::format("{}/.local/state/wgkit/alert", home == nullptr ? "" : home);
}

AlertConfig slack_alert_config(SecretSource url, std::string spool) {
    AlertConfig config;
    config.spool = std::move(spool);
    AlertTarget target;
    target.name = "slack";
    target.type = AlertTargetType::slack;
    target.urls.push_back(std::move(url));
    config.targets.push_back(std::move(target));
    return config;
}

} // namespace wgkit
