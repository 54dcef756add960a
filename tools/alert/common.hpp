#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/arguments.hpp"
#include "common/json.hpp"
#include "common/report.hpp"
#include "wgkit/alert.hpp"

/// What the commands share.
namespace wgkit::tool::alert {

/// Where alerts go: a configuration, or no more than Slack's URL.
struct ConfigOptions {
    std::string config;
    std::string slack_webhook_file;
    std::string spool;

    void add_to(const Arguments& arguments);
};

/// The configuration that was asked for; /etc/wgkit/alert.yaml if none was, or one Slack target
/// where the environment has SLACK_WEBHOOK. Nothing if it is wrong, which has been told.
std::optional<AlertConfig> load_config(const ConfigOptions& options, const Report& report);

/// Opens it and tells of damage. Nothing if that failed, which has been told.
std::optional<AlertSpool> open_spool(const AlertConfig& config, const Report& report);

/// Sends what is due; prints what came of it, and returns the exit status: 2 if messages wait.
int deliver(AlertSpool& spool, const AlertConfig& config, std::uint32_t seconds, bool json,
            const AlertsRecorded* recorded, const Report& report);

/// "label=value" of each. Nothing if one is none, which has been told.
std::optional<std::map<std::string, std::string>> pairs(const std::vector<std::string>& words,
                                                        const Report& report);

AlertTime now();

} // namespace wgkit::tool::alert
