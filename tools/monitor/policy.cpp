#include "monitor/policy.hpp"

#include "common/loaded.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::monitor {

namespace {

bool read_names(const std::string& path, Policy& policy, const Report& report) {
    const auto text = files::read(path);
    if (!text) {
        report.error(text.error());
        return false;
    }
    for (auto& [key, name] : names_in_config(*text)) {
        auto [entry, is_new] = policy.entries.try_emplace(key);
        if (is_new) entry->second.rule = policy.otherwise;
        if (entry->second.name.empty()) entry->second.name = name;
    }
    return true;
}

} // namespace

bool read_policy(const PolicyFiles& files, Policy& policy, const Report& report) {
    bool is_good = true;
    if (!files.config.empty() || !files.nodes.empty()) {
        const auto read =
            load_symbol(WGKIT_MONITOR_POLICY_LIBRARY, read_policy_files_name, "read expectations");
        if (!read) report.error(read.error());
        is_good = read && reinterpret_cast<ReadPolicyFiles>(*read)(files, policy, report);
    }
    for (const auto& path : files.names) is_good = read_names(path, policy, report) && is_good;
    return is_good;
}

} // namespace wgkit::tool::monitor
