#include <fmt/format.h>

#include <chrono>

#include "common/json.hpp"
#include "store/commands.hpp"
#include "store/common.hpp"
#include "util/rfc3339.hpp"

namespace wgkit::tool::store {

namespace {

/// Names and messages come from nodes: what a terminal would obey must not reach it.
std::string printable(std::string_view text) {
    std::string result;
    for (const char c : text) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    return result;
}

std::string time_text(std::int64_t seconds) {
    return rfc3339(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

std::string state_of(const wgkit::agent::NodeStatus& node) {
    if (node.waits) return "waits for approval";
    if (!node.runs_agent) return "no agent";
    if (node.revision == 0) return "has said nothing";
    return fmt::format("revision {} {}", node.revision, printable(node.status));
}

void print_status(const wgkit::agent::StoreStatus& status) {
    if (status.revision == 0) {
        fmt::print("{}: nothing was published yet\n", status.network);
        return;
    }
    fmt::print("{}: revision {}, valid until {}\n", status.network, status.revision,
               time_text(status.expires));
    for (const auto& node : status.nodes)
        fmt::print("{} {} {}\n", node.name, fmt::join(node.addresses, ","), state_of(node));
    for (const auto& key : status.join_keys)
        fmt::print("join key {} until {}, {} nodes, tags {}\n", key.id, time_text(key.expires),
                   key.count,
                   key.tags.empty() ? "none" : fmt::format("{}", fmt::join(key.tags, ",")));
    for (const auto& [name, why] : status.refused) fmt::print("refused {}\n", printable(why));
}

Json status_json(const wgkit::agent::StoreStatus& status) {
    Json nodes = Json::array(), keys = Json::array(), refused = Json::array();
    for (const auto& node : status.nodes)
        nodes.push_back({{"name", node.name},
                         {"addresses", node.addresses},
                         {"agent", node.runs_agent},
                         {"waits", node.waits},
                         {"revision", node.revision},
                         {"time", node.time},
                         {"status", node.status}});
    for (const auto& key : status.join_keys)
        keys.push_back(
            {{"id", key.id}, {"tags", key.tags}, {"count", key.count}, {"expires", key.expires}});
    for (const auto& [name, why] : status.refused)
        refused.push_back({{"name", name}, {"why", why}});
    return {{"schema", 1},
            {"network", status.network},
            {"revision", status.revision},
            {"expires", status.expires},
            {"nodes", nodes},
            {"join_keys", keys},
            {"refused", refused}};
}

} // namespace

Action setup_status(Arguments arguments) {
    auto options = std::make_shared<StoreCommandOptions>();
    add_home(arguments, *options);
    add_json(arguments, *options);
    return [options](const Report& report) {
        return with_operator(*options, report, [&](const wgkit::agent::Operator& op) {
            const auto status = wgkit::agent::store_status(op);
            if (!status) return report.error(status.error());
            if (options->json)
                print(status_json(*status));
            else
                print_status(*status);
            return static_cast<int>(exit_ok);
        });
    };
}

Action setup_log(Arguments arguments) {
    auto options = std::make_shared<StoreCommandOptions>();
    add_home(arguments, *options);
    add_json(arguments, *options);
    return [options](const Report& report) {
        return with_operator(*options, report, [&](const wgkit::agent::Operator& op) {
            const auto entries = wgkit::agent::read_log(op);
            if (!entries) return report.error(entries.error());
            auto list = Json::array();
            for (const auto& one : *entries) {
                list.push_back({{"number", one.number},
                                {"time", one.time},
                                {"action", one.action},
                                {"subject", one.subject}});
                if (!options->json)
                    fmt::print("{} {} {} {}\n", one.number, time_text(one.time), one.action,
                               printable(one.subject));
            }
            if (options->json) print({{"schema", 1}, {"entries", list}});
            return static_cast<int>(exit_ok);
        });
    };
}

} // namespace wgkit::tool::store
