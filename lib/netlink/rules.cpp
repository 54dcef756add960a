#include "netlink/rules.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "netlink/attributes.hpp"
#include "netlink/family_number.hpp"
#include "netlink/request.hpp"

namespace wgkit::netlink {

namespace {

/// Selectors that a HostRule has no place for.
bool is_other_selector(int type) {
    switch (type) {
    case FRA_DST:
    case FRA_SRC:
    case FRA_IIFNAME:
    case FRA_OIFNAME:
    case FRA_FLOW:
    case FRA_TUN_ID:
    case FRA_L3MDEV:
    case FRA_UID_RANGE:
    case FRA_IP_PROTO:
    case FRA_SPORT_RANGE:
    case FRA_DPORT_RANGE:
        return true;
    default:
        return false;
    }
}

std::optional<HostRule> rule_in(const nlmsghdr& message, Family family) {
    const auto* header = header_of<fib_rule_hdr>(message);
    if (message.nlmsg_type != RTM_NEWRULE || header == nullptr) return std::nullopt;
    HostRule rule;
    rule.family = family;
    rule.table = header->table;
    std::uint32_t mark = 0;
    std::uint32_t mask = 0xffffffff;
    std::uint32_t suppressed = 0xffffffff;
    bool other = header->action != FR_ACT_TO_TBL || header->tos != 0;
    each_attribute(message, sizeof(fib_rule_hdr), [&](int type, const nlattr& attribute) {
        if (type == FRA_TABLE)
            read_value(attribute, rule.table);
        else if (type == FRA_PRIORITY)
            read_value(attribute, rule.priority);
        else if (type == FRA_PROTOCOL)
            read_value(attribute, rule.protocol);
        else if (type == FRA_FWMARK)
            read_value(attribute, mark);
        else if (type == FRA_FWMASK)
            read_value(attribute, mask);
        else if (type == FRA_SUPPRESS_PREFIXLEN)
            read_value(attribute, suppressed);
        else if (is_other_selector(type))
            other = true;
        return true;
    });
    const bool inverted = (header->flags & FIB_RULE_INVERT) != 0;
    if (inverted && mark != 0 && mask == 0xffffffff) rule.unless_mark = mark;
    rule.no_default_routes = suppressed == 0;
    other = other || (inverted && !rule.unless_mark) || (!inverted && mark != 0);
    if (other || (suppressed != 0xffffffff && suppressed != 0))
        return HostRule{family, {}, 0, false, rule.priority, rule.protocol};
    return rule;
}

Request rule_request(std::uint16_t type, std::uint16_t flags, const HostRule& rule) {
    Request request(type, flags);
    auto& header = request.header<fib_rule_hdr>();
    header.family = family_number(rule.family);
    header.action = FR_ACT_TO_TBL;
    if (rule.unless_mark) header.flags = FIB_RULE_INVERT;
    request.put(FRA_TABLE, rule.table);
    if (rule.priority != 0) request.put(FRA_PRIORITY, rule.priority);
    if (rule.unless_mark) request.put(FRA_FWMARK, *rule.unless_mark);
    if (rule.no_default_routes) request.put(FRA_SUPPRESS_PREFIXLEN, std::uint32_t{0});
    if (type == RTM_NEWRULE) request.put(FRA_PROTOCOL, rule.protocol);
    return request;
}

} // namespace

Result<std::vector<HostRule>> read_rules(Socket& socket, Family family) {
    std::vector<HostRule> rules;
    Request request(RTM_GETRULE, NLM_F_DUMP);
    request.header<fib_rule_hdr>().family = family_number(family);
    const Reader reader{[&rules] { rules.clear(); },
                        [&rules, family](const nlmsghdr& message) -> Result<void> {
                            if (auto rule = rule_in(message, family)) rules.push_back(*rule);
                            return {};
                        }};
    const auto asked = socket.ask(request.message(), "cannot list rules", reader);
    const int error = socket.kernel_error();
    if (!asked && error != EAFNOSUPPORT && error != EOPNOTSUPP) return asked.error();
    return rules;
}

Result<void> add_rule(Socket& socket, const HostRule& rule) {
    auto request = rule_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
    return socket.ask(request.message(), "cannot add the rule", {});
}

Result<void> remove_rule(Socket& socket, const HostRule& rule) {
    auto request = rule_request(RTM_DELRULE, 0, rule);
    return socket.ask(request.message(), "cannot remove the rule", {});
}

} // namespace wgkit::netlink
