#include "net/host_words.hpp"

#include <fmt/format.h>

namespace wgkit::tool::net {

namespace {

const char* name_of(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

std::string table_text(std::uint32_t table) {
    return table == main_routing_table ? "main" : std::to_string(table);
}

struct Words {
    std::string operator()(const HostMtu& step) const {
        return fmt::format("mtu {} -> {}", step.before, step.mtu);
    }
    std::string operator()(const HostUp&) const { return "up"; }
    std::string operator()(const Prefix& address) const { return "address " + to_string(address); }
    std::string operator()(const HostRoute& route) const {
        const auto where = route.table == main_routing_table
                               ? std::string()
                               : fmt::format(", table {}", route.table);
        return fmt::format("route {}{}", to_string(route.destination), where);
    }
    std::string operator()(const HostSrcValidMark&) const {
        return "sysctl net.ipv4.conf.all.src_valid_mark";
    }
    std::string operator()(const HostRule& rule) const {
        const auto mark = rule.unless_mark
                              ? fmt::format("all but mark {:#x} look", *rule.unless_mark)
                              : std::string("all look");
        return fmt::format("{} rule: {} up table {}{}", name_of(rule.family), mark,
                           table_text(rule.table),
                           rule.no_default_routes ? ", but its default route" : "");
    }
    std::string operator()(const HostFilterChange& step) const {
        return fmt::format("{} packet filter of the full tunnel", name_of(step.filter.family));
    }
};

struct ToJson {
    const char* verb;

    Json named(const char* noun) const { return {{"change", fmt::format("{}-{}", verb, noun)}}; }

    Json operator()(const HostMtu& step) const {
        return {{"change", "mtu"}, {"from", step.before}, {"to", step.mtu}};
    }
    Json operator()(const HostUp&) const { return {{"change", "up"}}; }
    Json operator()(const Prefix& address) const {
        auto json = named("address");
        json["address"] = to_string(address);
        return json;
    }
    Json operator()(const HostRoute& route) const {
        auto json = named("route");
        json["destination"] = to_string(route.destination);
        json["table"] = route.table;
        return json;
    }
    Json operator()(const HostSrcValidMark&) const { return {{"change", "src-valid-mark"}}; }
    Json operator()(const HostRule& rule) const {
        auto json = named("rule");
        json["family"] = name_of(rule.family);
        json["unlessMark"] = rule.unless_mark ? Json(*rule.unless_mark) : Json();
        json["table"] = rule.table;
        json["noDefaultRoutes"] = rule.no_default_routes;
        return json;
    }
    Json operator()(const HostFilterChange& step) const {
        auto json = named("filter");
        json["family"] = name_of(step.filter.family);
        return json;
    }
};

bool replaces(const HostStep& step) {
    if (std::holds_alternative<HostMtu>(step.what)) return true;
    const auto* filter = std::get_if<HostFilterChange>(&step.what);
    return filter != nullptr && filter->before;
}

} // namespace

std::pair<char, std::string> to_words(const HostStep& step) {
    const char sign = replaces(step) ? '~' : step.remove ? '-' : '+';
    return {sign, std::visit(Words{}, step.what)};
}

Json to_json(const HostStep& step) {
    const char* verb = replaces(step) ? "change" : step.remove ? "remove" : "add";
    return std::visit(ToJson{verb}, step.what);
}

} // namespace wgkit::tool::net
