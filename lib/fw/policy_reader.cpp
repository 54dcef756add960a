// `policy:` of nodes.yaml -> Policy. Names are only looked up later, against the inventory.
#include <fmt/format.h>

#include <algorithm>

#include "fw/traffic_text.hpp"
#include "mesh/inventory/field_reader.hpp"
#include "util/ascii.hpp"
#include "util/yaml.hpp"
#include "wgkit/policy.hpp"

namespace wgkit::fw {

namespace field = mesh::field;
using yaml::Kind;
using yaml::Value;

namespace {

const std::vector<std::string_view> policy_fields = {
    "hosts", "groups", "services", "allow", "tests", "ping", "log", "mss", "outside"};

struct Service {
    std::string name;
    std::vector<Traffic> traffic;
};

using Names = std::vector<Located<std::string>>;

class Reader {
  public:
    Reader(Policy& policy, Diagnostics& d) : policy_(policy), d_(d) {}

    void read(const Value& map) {
        policy_.mark = map.mark;
        if (!field::expect(map, Kind::map, d_)) return;
        policy_.is_set = true;
        // What others refer to comes first, wherever it stands.
        if (const Value* services = map.find("services")) read_services(*services);
        for (const auto& [key, mark, value] : map.members) {
            if (key == "hosts")
                read_hosts(value);
            else if (key == "groups")
                read_groups(value);
            else if (key == "allow")
                read_rules(value);
            else if (key == "tests")
                read_tests(value);
            else if (key == "ping")
                policy_.ping = field::boolean(value, d_).value_or(true);
            else if (key == "log")
                policy_.log = field::boolean(value, d_).value_or(false);
            else if (key == "mss")
                policy_.clamp_mss = read_mss(value);
            else if (key == "outside")
                policy_.closed = read_outside(value);
            else if (key != "services")
                field::unknown(key, mark, policy_fields, d_);
        }
        if (map.find("allow") == nullptr) {
            d_.error("missing-field", map.mark, "the policy allows nothing").hint =
                "add `allow:` with rules, or `allow: []` to close every tunnel";
        }
    }

  private:
    bool read_mss(const Value& value) {
        static constexpr field::Choice<bool> words[] = {{"clamp", true}, {"keep", false}};
        return field::choice(value, words, d_).value_or(true);
    }
    bool read_outside(const Value& value) {
        static constexpr field::Choice<bool> words[] = {{"open", false}, {"closed", true}};
        return field::choice(value, words, d_).value_or(false);
    }

    void bad(Mark mark, const Error& error) {
        const bool is_range = error.message.find("out of range") != std::string::npos;
        d_.error(is_range ? "port-out-of-range" : "bad-value", mark, error.message).hint =
            error.hint;
    }

    void read_services(const Value& value) {
        if (value.kind == Kind::null || !field::expect(value, Kind::map, d_)) return;
        for (const auto& member : value.members) {
            Service service{member.key, read_traffic(member.value)};
            if (!mesh_name(member.key)) refuse_name(member.key, member.key_mark);
            services_.push_back(std::move(service));
        }
    }

    static bool mesh_name(std::string_view name) {
        return ascii::is_dns_label(name) && !ascii::is_digit(name.front());
    }
    void refuse_name(const std::string& name, Mark mark) {
        d_.error("bad-value", mark, fmt::format("'{}' is no name", name)).hint =
            "use letters, digits and inner hyphens, a letter first";
    }

    /// One text or a list of texts; each is ports or the name of a service.
    std::vector<Traffic> read_traffic(const Value& value) {
        std::vector<Traffic> list;
        if (value.kind == Kind::null) {
            d_.error("bad-value", value.mark, "no port and no protocol").hint =
                "write e.g. 443/tcp or any";
            return list;
        }
        const auto texts = field::texts(value, d_);
        if (texts && texts->empty())
            d_.error("bad-value", value.mark, "no port and no protocol").hint =
                "write e.g. 443/tcp or any";
        for (const auto& text : texts.value_or(Names{})) append_traffic(text, list);
        return list;
    }

    void append_traffic(const Located<std::string>& text, std::vector<Traffic>& list) {
        for (const auto& service : services_)
            if (service.name == text.value) {
                list.insert(list.end(), service.traffic.begin(), service.traffic.end());
                return;
            }
        const auto traffic = parse_traffic(text.value);
        if (traffic) {
            list.insert(list.end(), traffic->begin(), traffic->end());
            return;
        }
        Error error = traffic.error();
        if (mesh_name(text.value)) {
            std::vector<std::string_view> known;
            for (const auto& service : services_) known.emplace_back(service.name);
            error.message = fmt::format("no service or protocol '{}'", text.value);
            if (const auto near = ascii::nearest(text.value, known))
                error.hint = fmt::format("did you mean '{}'?", *near);
        }
        bad(text.mark, error);
    }

    void read_hosts(const Value& value) {
        if (value.kind == Kind::null || !field::expect(value, Kind::map, d_)) return;
        for (const auto& member : value.members) {
            if (!mesh_name(member.key)) refuse_name(member.key, member.key_mark);
            PolicyHost host{{member.key, member.key_mark}, {}};
            if (member.value.kind == Kind::scalar) {
                if (const auto one = field::prefix(member.value, d_)) host.prefixes.push_back(*one);
            } else {
                for (const auto& one :
                     field::prefixes(member.value, d_).value_or(std::vector<Located<Prefix>>{}))
                    host.prefixes.push_back(one.value);
                if (member.value.items.empty())
                    d_.error("bad-value", member.value.mark,
                             fmt::format("the host '{}' has no address", member.key));
            }
            policy_.hosts.push_back(std::move(host));
        }
    }

    void read_groups(const Value& value) {
        if (value.kind == Kind::null || !field::expect(value, Kind::map, d_)) return;
        for (const auto& member : value.members) {
            if (!mesh_name(member.key)) refuse_name(member.key, member.key_mark);
            PolicyGroup group{{member.key, member.key_mark},
                              field::texts(member.value, d_).value_or(Names{})};
            if (group.members.empty())
                d_.error("empty-group", member.key_mark,
                         fmt::format("the group '{}' is empty", member.key))
                    .hint = "name its members, or remove it and the rules that use it";
            policy_.groups.push_back(std::move(group));
        }
    }

    /// The names on one side of an arrow, with commas between them.
    Names names(std::string_view text, Mark mark, std::size_t offset) {
        Names list;
        std::size_t at = 0;
        for (const auto part : ascii::split(text, ',')) {
            const auto name = ascii::trim(part);
            const auto skipped = static_cast<std::size_t>(name.data() - part.data());
            const Mark place{mark.line,
                             mark.column + static_cast<std::uint32_t>(offset + at + skipped)};
            at += part.size() + 1;
            if (name.empty())
                d_.error("bad-value", place, "a name is missing").hint =
                    "write FROM -> TO: PORTS, e.g. `admins -> all: 22/tcp`";
            else
                list.push_back({std::string(name), place});
        }
        return list;
    }

    /// The member of a list item whose key holds the arrow.
    const yaml::Member* arrow(const Value& item) {
        if (item.kind == Kind::map)
            for (const auto& member : item.members)
                if (member.key.find("->") != std::string::npos) return &member;
        auto& found =
            d_.error("bad-value", item.mark,
                     item.kind == Kind::scalar && item.scalar.find("->") != std::string::npos
                         ? "the rule has no ports"
                         : "a rule has an arrow");
        found.hint = "write FROM -> TO: PORTS, e.g. `admins -> all: 22/tcp`";
        return nullptr;
    }

    void split(const yaml::Member& member, Names& from, Names& to) {
        const auto at = member.key.find("->");
        from = names(std::string_view(member.key).substr(0, at), member.key_mark, 0);
        to = names(std::string_view(member.key).substr(at + 2), member.key_mark, at + 2);
    }

    std::string text_of(const yaml::Member& member) {
        std::string ports = member.value.scalar;
        for (const auto& item : member.value.items)
            ports += (ports.empty() ? "" : ", ") + item.scalar;
        return fmt::format("{}: {}", member.key, ports);
    }

    void read_rules(const Value& value) {
        if (value.kind == Kind::null || !field::expect(value, Kind::sequence, d_)) return;
        for (const auto& item : value.items) {
            const auto* member = arrow(item);
            if (member == nullptr) continue;
            PolicyRule rule;
            split(*member, rule.from, rule.to);
            rule.traffic = read_traffic(member->value);
            rule.text = text_of(*member);
            rule.mark = member->key_mark;
            for (const auto& [key, mark, part] : item.members) {
                if (&key == &member->key) continue;
                if (key == "log")
                    rule.log = field::boolean(part, d_).value_or(false);
                else if (key == "limit")
                    rule.limit = read_limit(part);
                else if (key.find("->") != std::string::npos)
                    d_.error("bad-value", mark, "one rule has one arrow: start a new list item");
                else
                    field::unknown(key, mark, {"log", "limit"}, d_);
            }
            policy_.allow.push_back(std::move(rule));
        }
    }

    Rate read_limit(const Value& value) {
        const auto text = field::text(value, d_);
        if (!text) return {};
        static constexpr std::pair<std::string_view, std::uint32_t> units[] = {
            {"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}};
        const auto slash = text->find('/');
        const auto count = ascii::to_number(std::string_view(*text).substr(0, slash), 10000);
        for (const auto& [unit, seconds] : units)
            if (count && *count != 0 && slash != text->npos && text->substr(slash + 1) == unit)
                return {static_cast<std::uint32_t>(*count), seconds};
        d_.error("bad-value", value.mark, fmt::format("'{}' is no rate", *text)).hint =
            "write e.g. 10/second, 100/minute, 5/hour or 1/day; at most 10000";
        return {};
    }

    void read_tests(const Value& value) {
        if (value.kind == Kind::null || !field::expect(value, Kind::map, d_)) return;
        for (const auto& [key, mark, list] : value.members) {
            if (key != "reach" && key != "refuse") {
                field::unknown(key, mark, {"reach", "refuse"}, d_);
                continue;
            }
            if (list.kind == Kind::null || !field::expect(list, Kind::sequence, d_)) continue;
            for (const auto& item : list.items) read_test(item, key == "reach");
        }
    }

    void read_test(const Value& item, bool reach) {
        const auto* member = arrow(item);
        if (member == nullptr) return;
        Names from;
        Names to;
        split(*member, from, to);
        for (const auto& one : read_traffic(member->value))
            for (const auto& source : from)
                for (const auto& target : to) {
                    PolicyTest test{reach, source, target, one, text_of(*member), member->key_mark};
                    policy_.tests.push_back(std::move(test));
                }
    }

    Policy& policy_;
    Diagnostics& d_;
    std::vector<Service> services_;
};

} // namespace

ParsedPolicy parse_policy(std::string_view text, const std::string& file) {
    ParsedPolicy parsed{{}, Diagnostics(file)};
    parsed.policy.file = file;
    const Value root = yaml::parse(text, parsed.diagnostics);
    if (const Value* policy = root.find("policy"))
        Reader(parsed.policy, parsed.diagnostics).read(*policy);
    parsed.diagnostics.sort();
    return parsed;
}

} // namespace wgkit::fw
