// What was loaded last, so that it can be loaded again when the interface comes up, and so that
// changes by others are seen without the policy at hand.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "fw/interface.hpp"
#include "fw/listing.hpp"
#include "util/errno_error.hpp"
#include "util/json_text.hpp"
#include "wgkit/files.hpp"
#include "wgkit/firewall_state.hpp"

namespace wgkit::fw {

namespace {

constexpr const char* applied_folder = "/var/lib/wgkit/fw";

std::optional<Backend> backend_named(std::string_view name) {
    for (const Backend backend :
         {Backend::ufw, Backend::nftables, Backend::iptables, Backend::firewalld})
        if (to_string(backend) == name) return backend;
    return std::nullopt;
}

} // namespace

std::string applied_path(const std::string& interface) {
    return fmt::format("{}/{}.json", applied_folder, interface);
}

std::string to_text(const AppliedRules& applied) {
    const nlohmann::ordered_json json{{"schema", 1},
                                      {"interface", applied.rules.interface},
                                      {"backend", to_string(applied.rules.backend)},
                                      {"time", applied.time},
                                      {"hash", applied.hash},
                                      {"rules", applied.rules.parts}};
    return json_text::dump(json, 1) + "\n";
}

Result<std::optional<AppliedRules>> read_applied(const std::string& path) {
    const auto text = files::read(path);
    if (!text) {
        if (text.error().code == Errc::not_found) return std::optional<AppliedRules>();
        return text.error();
    }
    const auto json = json_text::parse(*text);
    const Error bad{Errc::invalid, path + " is not what wgkit writes",
                    "apply the rules again, or remove it"};
    try {
        const auto backend = backend_named(json.at("backend").get<std::string>());
        if (!backend || json.at("schema") != 1) return bad;
        AppliedRules applied{{*backend, json.at("interface").get<std::string>(),
                              json.at("rules").get<std::vector<std::string>>()},
                             json.at("hash").get<std::string>(),
                             json.at("time").get<std::string>()};
        if (applied.rules.parts.size() != parts_of(*backend)
            || !check_interface(applied.rules.interface))
            return bad;
        return std::optional(std::move(applied));
    } catch (const nlohmann::json::exception&) {
        return bad;
    }
}

Result<void> write_applied(const AppliedRules& applied) {
    if (auto made = files::make_folders(applied_folder, 0755); !made) return made;
    return files::replace(applied_path(applied.rules.interface), to_text(applied), 0600);
}

Result<void> forget_applied(const std::string& interface) {
    const std::string path = applied_path(interface);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(path);
    return {};
}

} // namespace wgkit::fw
