#include "fleet/plan_text.hpp"

#include <fmt/format.h>

namespace wgkit::tool::fleet {

namespace {

std::string coloured(const std::string& line, bool colour) {
    if (!colour || line.empty()) return line;
    const char* code = line[0] == '+' ? "32" : line[0] == '-' ? "31" : "33";
    return fmt::format("\033[{}m{}\033[0m", code, line);
}

/// What of a running device differs although its file does not.
std::vector<std::string> drift_lines(const wgkit::mesh::Fleet& fleet, const std::string& text) {
    std::vector<std::string> lines;
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("changes")) return lines;
    for (const auto& change : json["changes"]) {
        const auto kind = change.value("change", "");
        const auto key = PublicKey::parse(change.value("publicKey", ""));
        const auto name = key ? name_of_key(fleet, *key) : std::string();
        const char sign = kind == "add-peer" ? '+' : kind == "remove-peer" ? '-' : '~';
        lines.push_back(name.empty() ? fmt::format("{} {} of the running device", sign, kind)
                                     : fmt::format("{} peer {} of the running device", sign, name));
    }
    return lines;
}

} // namespace

std::string plan_text(const wgkit::mesh::Fleet& fleet, const std::vector<Surveyed>& nodes,
                      bool colour) {
    std::string text;
    std::size_t changed = 0;
    std::size_t changes = 0;
    std::size_t unknown = 0;
    for (const auto& node : nodes) {
        if (!node.reply.is_good()) {
            ++unknown;
            continue;
        }
        if (node.changes() == 0) continue;
        ++changed;
        changes += node.changes();
        for (const auto& one : node.reply.answer.interfaces) {
            text += fmt::format("{} {}\n", node.target.name, one.name);
            for (const auto& line : one.file_changes)
                text += fmt::format("  {}\n", coloured(line, colour));
            if (!one.is_up) text += fmt::format("  {}\n", coloured("+ bring it up", colour));
            if (one.file_changes.empty())
                for (const auto& line : drift_lines(fleet, one.device_changes))
                    text += fmt::format("  {}\n", coloured(line, colour));
        }
        const auto& firewall = node.reply.answer.firewall;
        if (!firewall || firewall->changes.empty()) continue;
        text += fmt::format("{} firewall ({})\n", node.target.name, firewall->backend);
        for (const auto& line : firewall->changes)
            text += fmt::format("  {}\n", coloured(line, colour));
    }
    text += fmt::format("{} of {} nodes change, in {} places", changed, nodes.size(), changes);
    if (unknown != 0) text += fmt::format("; {} did not answer", unknown);
    return text + "\n";
}

Json plan_json(const std::vector<Surveyed>& nodes) {
    Json list = Json::array();
    for (const auto& node : nodes) {
        Json interfaces = Json::array();
        for (const auto& one : node.reply.answer.interfaces) {
            const auto device = Json::parse(one.device_changes, nullptr, false);
            interfaces.push_back(
                {{"interface", one.name},
                 {"isUp", one.is_up},
                 {"stateHash", one.state_hash},
                 {"fileChanges", one.file_changes},
                 {"deviceChanges",
                  device.is_object() ? device.value("changes", Json::array()) : Json::array()}});
        }
        const auto& firewall = node.reply.answer.firewall;
        list.push_back({{"node", node.target.name},
                        {"reached", node.reply.is_good()},
                        {"error", node.reply.error.message},
                        {"sshThrough", node.reply.answer.ssh_through},
                        {"changes", node.changes()},
                        {"interfaces", std::move(interfaces)},
                        {"firewall", firewall ? Json{{"backend", firewall->backend},
                                                     {"stateHash", firewall->state_hash},
                                                     {"changes", firewall->changes}}
                                              : Json()}});
    }
    return {{"schema", 1}, {"nodes", std::move(list)}};
}

int report_troubles(const std::vector<Surveyed>& nodes, const Report& report) {
    int status = exit_ok;
    for (const auto& node : nodes) {
        if (!node.reply.is_good()) status = report.error(node.reply.error);
        const auto& answer = node.reply.answer;
        for (const auto& text : answer.warnings)
            report.warning(fmt::format("{}: {}", node.target.name, text));
        if (!answer.ssh_through.empty() && node.changes() != 0)
            report.warning(fmt::format("{}: this ssh connection comes through {}, which changes",
                                       node.target.name, answer.ssh_through),
                           "if it breaks, the node goes back by itself; an ssh address outside of "
                           "the tunnel is safer");
    }
    return status;
}

} // namespace wgkit::tool::fleet
