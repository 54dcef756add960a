#include "alert/common.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "common/exit_code.hpp"
#include "common/http_library.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::alert {

namespace {

constexpr const char* usual_config = "/etc/wgkit/alert.yaml";

} // namespace

void ConfigOptions::add_to(const Arguments& arguments) {
    const auto file =
        arguments
            .add_option("--config", config, "Targets and routes (default: /etc/wgkit/alert.yaml)")
            .type_name("FILE");
    arguments
        .add_option("--slack-webhook-file", slack_webhook_file,
                    "Instead: a file with the URL of a Slack webhook")
        .type_name("FILE")
        .excludes(file);
    arguments.add_option("--spool", spool, "The folder that messages wait in").type_name("DIR");
}

std::optional<AlertConfig> load_config(const ConfigOptions& options, const Report& report) {
    std::optional<AlertConfig> config;
    std::string path = options.config;
    const bool has_usual = path.empty() && ::access(usual_config, F_OK) == 0;
    if (!options.slack_webhook_file.empty()) {
        SecretSource url;
        url.file = options.slack_webhook_file;
        config = slack_alert_config(url, default_alert_spool());
    } else if (path.empty() && !has_usual && std::getenv("SLACK_WEBHOOK") != nullptr) {
        SecretSource url;
        url.environment = "SLACK_WEBHOOK";
        config = slack_alert_config(url, default_alert_spool());
    } else {
        if (path.empty()) path = usual_config;
        const auto text = files::read(path);
        if (!text) {
            report.error(text.error().message, "wgkit-alert(5) shows how to write one; or give "
                                               "--slack-webhook-file FILE");
            return std::nullopt;
        }
        Diagnostics diagnostics(path);
        config = parse_alert_config(*text, diagnostics);
        report.findings(diagnostics, *text);
        if (diagnostics.errors() != 0) return std::nullopt;
    }
    if (!options.spool.empty()) config->spool = options.spool;
    return config;
}

std::optional<AlertSpool> open_spool(const AlertConfig& config, const Report& report) {
    auto spool = AlertSpool::open(config.spool);
    if (!spool) {
        report.error(spool.error());
        return std::nullopt;
    }
    if (!spool->problem().empty()) report.warning(spool->problem());
    return *std::move(spool);
}

int deliver(AlertSpool& spool, const AlertConfig& config, std::uint32_t seconds, bool json,
            const AlertsRecorded* recorded, const Report& report) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    auto poster = load_http_poster();
    if (!poster) return report.error(poster.error());
    auto done = spool.flush(config, **poster, deadline);
    if (!done && done.error().code == Errc::conflict && recorded != nullptr) {
        // The other process, or the next flush, takes what was recorded here.
        report.note(done.error().message);
        return exit_ok;
    }
    if (!done) return report.error(done.error());
    for (const auto& problem : done->problems) report.warning(problem);
    if (json) {
        Json object{{"schema", 1}};
        if (recorded != nullptr)
            object["recorded"] = {{"spooled", recorded->spooled},
                                  {"merged", recorded->merged},
                                  {"held_back", recorded->silenced},
                                  {"dropped", recorded->dropped}};
        object["delivered"] = done->delivered;
        object["requests"] = done->requests;
        object["repeated"] = done->repeated;
        object["refused"] = done->refused;
        object["waiting"] = done->waiting;
        object["problems"] = done->problems;
        print(object);
    }
    if (done->refused != 0) return exit_failed;
    return done->waiting != 0 ? exit_differences : exit_ok;
}

std::optional<std::map<std::string, std::string>> pairs(const std::vector<std::string>& words,
                                                        const Report& report) {
    std::map<std::string, std::string> map;
    for (const auto& word : words) {
        const auto equals = word.find('=');
        if (equals == std::string::npos || equals == 0) {
            report.error(fmt::format("'{}' is not LABEL=VALUE", word));
            return std::nullopt;
        }
        map[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return map;
}

AlertTime now() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

} // namespace wgkit::tool::alert
