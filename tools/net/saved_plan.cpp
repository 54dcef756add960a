#include "net/saved_plan.hpp"

#include <fmt/format.h>

#include "crypto/sodium_sha256.hpp"
#include "net/plan_json.hpp"
#include "util/json_text.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::net {

namespace {

constexpr const char* plan_format = "wgkit-net-plan";

std::string host_hash(const Convergence& it) {
    return it.host.goal ? state_hash(it.host.present) : std::string();
}

Error no_plan(const std::string& path) {
    return {Errc::invalid, fmt::format("{} is no plan of this version of wgkit", path),
            "wgkit net plan FILE -o PLAN makes one"};
}

} // namespace

int save_plan(const std::string& path, const Convergence& it, const Request& request,
              const Report& report) {
    const auto& options = request.convergence;
    Json json = to_json(it);
    json["format"] = plan_format;
    json["fileHash"] = crypto::sodium_sha256_hex(it.target.text);
    json["hostHash"] = host_hash(it);
    json["options"] = {
        {"interface", options.interface},
        {"keepUnmanaged", options.keep_unmanaged},
        {"setEndpoints", options.set_endpoints},
        {"host", options.host},
        {"insecurePermissions", options.insecure_permissions},
        {"allowRemovals", options.has_allow_removals ? Json(options.allow_removals) : Json()}};
    const auto saved = files::replace(path, json_text::dump(json, 2) + "\n", 0600);
    return saved ? static_cast<int>(exit_ok) : report.error(saved.error());
}

Result<std::optional<SavedPlan>> read_plan(const std::string& path) {
    std::optional<SavedPlan> none;
    const auto text = files::read(path);
    // Other failures are told by those who read it as a file.
    if (!text || !text->starts_with('{')) return none;
    auto json = json_text::parse_ordered(*text);
    if (json.is_discarded() || json.value("format", "") != plan_format
        || json.value("schema", 0) != 1)
        return no_plan(path);
    return std::optional<SavedPlan>(SavedPlan{path, std::move(json)});
}

Result<void> restore_request(const SavedPlan& saved, Request& request) {
    auto& options = request.convergence;
    try {
        const Json& from = saved.plan.at("options");
        request.file = saved.plan.at("file");
        options.interface = from.at("interface");
        options.keep_unmanaged = from.at("keepUnmanaged");
        options.set_endpoints = from.at("setEndpoints");
        options.host = from.at("host");
        options.insecure_permissions = from.at("insecurePermissions");
        options.has_allow_removals = !from.at("allowRemovals").is_null();
        if (options.has_allow_removals) options.allow_removals = from.at("allowRemovals");
    } catch (const Json::exception&) {
        return no_plan(saved.path);
    }
    return {};
}

Result<void> check_plan(const SavedPlan& saved, const Convergence& it) {
    const auto refuse = [&](const std::string& what) {
        return Error{Errc::conflict, fmt::format("{} does not hold any more: {}", saved.path, what),
                     "nothing is changed; make a new plan, and read it"};
    };
    const Json now = to_json(it);
    const auto& then = saved.plan;
    if (then.value("fileHash", "") != crypto::sodium_sha256_hex(it.target.text))
        return refuse(fmt::format("{} has changed", it.target.file.path));
    if (then.value("stateHash", "") != now.at("stateHash"))
        return refuse(fmt::format("the device {} has changed", it.interface()));
    if (then.value("hostHash", "") != host_hash(it))
        return refuse(fmt::format("addresses, routes or rules of {} have changed", it.interface()));
    if (then.value("changes", Json()) != now.at("changes"))
        return refuse("it would change something else now, as peers were heard or names moved");
    return {};
}

} // namespace wgkit::tool::net
