#include "fleet/survey.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/json.hpp"

namespace wgkit::tool::fleet {

namespace {

constexpr std::string_view conf_start = "etc/wireguard/";
constexpr std::string_view conf_end = ".conf";

Result<std::vector<Surveyed>> wanted_of(const wgkit::mesh::Fleet& fleet,
                                        const std::vector<wgkit::mesh::NodeFile>& files,
                                        const std::vector<std::string>& only) {
    const auto targets = targets_of(fleet, only);
    if (!targets) return targets.error();
    std::vector<Surveyed> out;
    for (const auto& target : *targets) {
        Surveyed one{target, {}, {}};
        for (const auto& file : files) {
            if (file.node != target.name) continue;
            if (!file.path.starts_with(conf_start) || !file.path.ends_with(conf_end))
                return Error{
                    Errc::invalid,
                    fmt::format("{}: {} is not a file of wg-quick", target.name, file.path),
                    "over ssh, only nodes of `format: wg-quick` that neither relay nor "
                    "exit are configured; deploy the others from `wgkit mesh render`"};
            one.files.push_back({file.interface, file.content, {}});
        }
        out.push_back(std::move(one));
    }
    return out;
}

} // namespace

std::size_t count_device_changes(const std::string& text) {
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("changes") || !json["changes"].is_array()) return 0;
    std::size_t count = 0;
    for (const auto& change : json["changes"]) {
        const bool only_endpoint =
            change.is_object() && change.value("change", "") == "change-peer"
            && change.contains("endpoint") && !change.contains("presharedKey")
            && !change.contains("persistentKeepalive") && change.contains("allowedIps")
            && std::all_of(change["allowedIps"].begin(), change["allowedIps"].end(),
                           [](const Json& list) { return list.empty(); });
        count += only_endpoint ? 0 : 1;
    }
    return count;
}

std::size_t Surveyed::changes() const {
    std::size_t count = 0;
    for (const auto& one : reply.answer.interfaces)
        count += std::max(one.file_changes.size(), count_device_changes(one.device_changes))
                 + (one.is_up ? 0 : 1);
    return count;
}

Result<std::vector<Surveyed>> survey(wgkit::mesh::Fleet& fleet, Transport& transport,
                                     const FleetOptions& options,
                                     const std::vector<std::string>& only, bool locked) {
    wgkit::mesh::RenderOptions render;
    render.today = wgkit::mesh::today();
    render.locked = locked;
    const auto files = render_files(fleet, render);
    if (!files) return files.error();
    auto nodes = wanted_of(fleet, *files, only);
    if (!nodes) return nodes;
    std::vector<Target> targets;
    for (const auto& one : *nodes) targets.push_back(one.target);
    auto replies = call_all(transport, targets, options, "asking nodes", [&](std::size_t i) {
        auto request = request_for("plan");
        request.files = (*nodes)[i].files;
        return request;
    });
    for (std::size_t i = 0; i < replies.size(); ++i) {
        (*nodes)[i].reply = std::move(replies[i]);
        // From here on, only what the node is now may be changed.
        for (auto& file : (*nodes)[i].files)
            for (const auto& one : (*nodes)[i].reply.answer.interfaces)
                if (one.name == file.interface) file.state_hash = one.state_hash;
    }
    return nodes;
}

} // namespace wgkit::tool::fleet
