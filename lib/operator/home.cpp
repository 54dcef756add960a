#include "operator/home.hpp"

#include <fmt/format.h>

#include "trust/json_fields.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit::agent {

namespace {

std::string settings_path(const std::string& folder) { return folder + "/store.json"; }
std::string store_password_path(const std::string& folder) { return folder + "/store.password"; }
std::string pin_path(const Home& home) { return home.folder + "/position.json"; }

} // namespace

Result<Home> load_home(const std::string& folder) {
    const auto text = files::read(settings_path(folder));
    if (!text) {
        auto error = text.error();
        if (error.code == Errc::not_found)
            error.hint = "`wgkit store init` sets a store up; --home names its folder";
        return error;
    }
    trust::JsonFields in(*text, settings_path(folder));
    Home home;
    home.folder = folder;
    home.network = in.text("network");
    home.root_hash = in.text("root");
    home.url = in.text("url");
    home.access.ca_file = in.text("ca_file");
    home.access.user = in.text("user");
    auto members = store::parse_store_url(home.url);
    if (!members) return members.error();
    home.access.members = *std::move(members);
    if (!home.access.user.empty()) {
        const auto password = files::read_secret(store_password_path(folder));
        if (!password) return password.error();
        home.access.password = SecretString(ascii::trim(*password));
    }
    return in.finish(std::move(home));
}

Result<void> save_home(const Home& home) {
    if (!home.access.user.empty())
        if (auto saved =
                files::replace(store_password_path(home.folder), home.access.password + "\n", 0600);
            !saved)
            return saved;
    const std::string text =
        nlohmann::json{
            {"schema", 1},     {"network", home.network},        {"root", home.root_hash},
            {"url", home.url}, {"ca_file", home.access.ca_file}, {"user", home.access.user}}
            .dump(2)
        + "\n";
    return files::replace(settings_path(home.folder), text, 0600);
}

Result<Pin> load_pin(const Home& home) {
    const auto text = files::read(pin_path(home));
    if (!text) {
        if (text.error().code == Errc::not_found) return Pin{};
        return text.error();
    }
    trust::JsonFields in(*text, pin_path(home));
    Pin pin;
    pin.position.revision = in.number("revision");
    pin.position.hash = in.text("hash");
    pin.audit_number = in.number("audit_number");
    pin.audit_hash = in.text("audit_hash");
    return in.finish(std::move(pin));
}

Result<void> save_pin(const Home& home, const Pin& pin) {
    const std::string text = nlohmann::json{{"schema", 1},
                                            {"revision", pin.position.revision},
                                            {"hash", pin.position.hash},
                                            {"audit_number", pin.audit_number},
                                            {"audit_hash", pin.audit_hash}}
                                 .dump(2)
                             + "\n";
    return files::replace(pin_path(home), text, 0600);
}

Result<trust::SigningKey> load_signing_key(const std::string& path) {
    const auto text = files::read_secret(path);
    if (!text) return text.error();
    auto key = trust::parse_signing_key(ascii::trim(*text));
    if (!key) return Error{Errc::invalid, fmt::format("{}: {}", path, key.error().message), {}};
    return key;
}

} // namespace wgkit::agent
