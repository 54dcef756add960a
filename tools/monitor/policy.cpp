#include "monitor/policy.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "wgkit/files.hpp"

namespace wgkit::tool::monitor {

namespace {

/// Found as the linked libraries are: by the program's own search path.
Result<ReadPolicyFiles> load_reader() {
    void* library = ::dlopen(WGKIT_MONITOR_POLICY_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    void* found = library != nullptr ? ::dlsym(library, read_policy_files_name) : nullptr;
    if (found == nullptr)
        return Error{Errc::not_found, fmt::format("cannot read expectations: {}", ::dlerror()),
                     "install all of wgkit, with its libraries"};
    return reinterpret_cast<ReadPolicyFiles>(found);
}

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
        const auto read = load_reader();
        if (!read) report.error(read.error());
        is_good = read && (*read)(files, policy, report);
    }
    for (const auto& path : files.names) is_good = read_names(path, policy, report) && is_good;
    return is_good;
}

} // namespace wgkit::tool::monitor
