// alert.yaml: every mistake with its place.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "alert/payload.hpp"
#include "util/ascii.hpp"
#include "util/yaml_field.hpp"
#include "wgkit/alert_config.hpp"

namespace wgkit {

namespace {

namespace field = yaml::field;
using yaml::Kind;
using yaml::Value;

constexpr field::Choice<AlertSeverity> severities[] = {{"info", AlertSeverity::info},
                                                       {"warning", AlertSeverity::warning},
                                                       {"critical", AlertSeverity::critical}};
constexpr field::Choice<AlertTargetType> types[] = {{"slack", AlertTargetType::slack},
                                                    {"webhook", AlertTargetType::webhook},
                                                    {"alertmanager", AlertTargetType::alertmanager},
                                                    {"ntfy", AlertTargetType::ntfy},
                                                    {"pagerduty", AlertTargetType::pagerduty},
                                                    {"email", AlertTargetType::email},
                                                    {"exec", AlertTargetType::exec},
                                                    {"discord", AlertTargetType::discord},
                                                    {"teams", AlertTargetType::teams},
                                                    {"mattermost", AlertTargetType::mattermost},
                                                    {"telegram", AlertTargetType::telegram}};
constexpr field::Choice<WebhookFormat> formats[] = {{"standard", WebhookFormat::standard},
                                                    {"alertmanager", WebhookFormat::alertmanager},
                                                    {"template", WebhookFormat::body_template}};

/// "90", "90s", "5m", "4h", "7d"; "off" is 0.
std::optional<std::chrono::seconds> duration(const Value& value, Diagnostics& diagnostics) {
    const auto word = field::text(value, diagnostics);
    if (!word) return std::nullopt;
    if (*word == "off") return std::chrono::seconds(0);
    std::string_view digits = *word;
    std::uint64_t unit = 1;
    if (!digits.empty()) {
        constexpr std::string_view letters = "smhd";
        constexpr std::array<std::uint64_t, 4> seconds{1, 60, 3600, 86400};
        const auto at = letters.find(digits.back());
        if (at != letters.npos) {
            unit = seconds.at(at);
            digits.remove_suffix(1);
        }
    }
    constexpr std::uint64_t most = 10ULL * 365 * 86400;
    const auto count = ascii::to_number(digits, most / unit);
    if (count) return std::chrono::seconds(static_cast<std::int64_t>(*count * unit));
    field::bad(value, diagnostics, fmt::format("'{}' is not a duration", *word),
               "write a number and s, m, h or d, for instance 4h");
    return std::nullopt;
}

/// One text or a list of them.
std::vector<std::string> texts(const Value& value, Diagnostics& diagnostics) {
    std::vector<std::string> list;
    if (value.kind == Kind::scalar) {
        if (auto one = field::text(value, diagnostics)) list.push_back(*std::move(one));
    } else if (field::expect(value, Kind::sequence, diagnostics)) {
        for (const auto& item : value.items)
            if (auto one = field::text(item, diagnostics)) list.push_back(*std::move(one));
    }
    return list;
}

std::map<std::string, std::string> text_map(const Value& value, Diagnostics& diagnostics) {
    std::map<std::string, std::string> map;
    if (!field::expect(value, Kind::map, diagnostics)) return map;
    for (const auto& member : value.members)
        if (auto one = field::text(member.value, diagnostics)) map[member.key] = *std::move(one);
    return map;
}

/// Fields of a mapping by name; the rest is reported.
using Fields = std::vector<std::pair<std::string, std::function<void(const Value&)>>>;

void read(const Value& value, const Fields& fields, Diagnostics& diagnostics) {
    if (!field::expect(value, Kind::map, diagnostics)) return;
    std::vector<std::string_view> names;
    for (const auto& [name, take] : fields) names.push_back(name);
    for (const auto& member : value.members) {
        const auto found = std::find(names.begin(), names.end(), member.key);
        if (found == names.end())
            field::unknown(member.key, member.key_mark, names, diagnostics);
        else
            fields[static_cast<std::size_t>(found - names.begin())].second(member.value);
    }
}

template <class T>
void set(std::optional<T> from, T& into) {
    if (from) into = *std::move(from);
}

/// Adds NAME_file, NAME_env and NAME_credential.
void add_secret(Fields& fields, const std::string& name, SecretSource& into,
                Diagnostics& diagnostics) {
    const auto add = [&](const char* suffix, std::string SecretSource::*member) {
        fields.emplace_back(name + suffix, [&into, &diagnostics, member, name](const Value& value) {
            if (!into.empty())
                field::bad(value, diagnostics, fmt::format("two sources of the {}", name));
            set(field::text(value, diagnostics), into.*member);
        });
    };
    add("_file", &SecretSource::file);
    add("_env", &SecretSource::environment);
    add("_credential", &SecretSource::credential);
    // To say it better than "unknown field".
    if (name != "url")
        fields.emplace_back(name, [&diagnostics, name](const Value& value) {
            field::bad(value, diagnostics, "a secret does not belong into this file",
                       fmt::format("put it into a file of mode 0600 and write {}_file: PATH, or "
                                   "{}_env or {}_credential",
                                   name, name, name),
                       "secret-in-config");
        });
}

bool is_url(std::string_view text) {
    return (text.starts_with("https://") || text.starts_with("http://"))
           && text.find_first_of(" \t") == text.npos && text.find("//") + 2 < text.size();
}

class TargetReader {
  public:
    TargetReader(AlertTarget& target, Diagnostics& diagnostics)
        : target_(target), diagnostics_(diagnostics) {}

    void run(const std::string& name, Mark mark, const Value& value) {
        target_.name = name;
        if (!ascii::is_dns_label(name))
            diagnostics_.error("bad-value", mark, fmt::format("'{}' is no name for a target", name))
                .hint = "use letters, digits and inner hyphens";
        if (!field::expect(value, Kind::map, diagnostics_)) return;
        const auto* type = value.find("type");
        if (type == nullptr) {
            diagnostics_.error("missing-field", mark, fmt::format("target {} has no type", name))
                .hint = "for instance type: slack";
            return;
        }
        const auto read_type = field::choice(*type, types, diagnostics_);
        if (!read_type) return;
        target_.type = *read_type;
        const auto errors = diagnostics_.errors();
        read(value, fields(), diagnostics_);
        if (!url_.empty()) target_.urls.insert(target_.urls.begin(), url_);
        if (diagnostics_.errors() == errors) check(mark);
    }

  private:
    bool is(std::initializer_list<AlertTargetType> list) const {
        return std::find(list.begin(), list.end(), target_.type) != list.end();
    }

    /// Services whose URL is all that a sender needs.
    bool url_is_secret() const {
        return is({AlertTargetType::slack, AlertTargetType::discord, AlertTargetType::teams,
                   AlertTargetType::mattermost});
    }

    Fields fields() {
        using Type = AlertTargetType;
        Diagnostics& diagnostics = diagnostics_;
        AlertTarget& target = target_;
        Fields list;
        const auto add = [&](const char* name, std::function<void(const Value&)> take) {
            list.emplace_back(name, std::move(take));
        };
        const auto add_text = [&](const char* name, std::string& into) {
            add(name, [&](const Value& value) { set(field::text(value, diagnostics), into); });
        };
        add("type", [](const Value&) {});
        add("severity", [&](const Value& value) {
            set(field::choice(value, severities, diagnostics), target.minimum);
        });
        add("send_resolved", [&](const Value& value) {
            set(field::boolean(value, diagnostics), target.send_resolved);
        });
        add("timeout",
            [&](const Value& value) { set(duration(value, diagnostics), target.timeout); });
        static constexpr field::Choice<bool> deliveries[] = {{"at-least-once", false},
                                                             {"at-most-once", true}};
        add("delivery", [&](const Value& value) {
            set(field::choice(value, deliveries, diagnostics), target.at_most_once);
        });
        if (is({Type::email, Type::exec})) {
            add("command", [&](const Value& value) { target.command = texts(value, diagnostics); });
        } else {
            add_text("ca_file", target.ca_file);
            add_text("proxy", target.proxy);
            add_secret(list, "url", url_, diagnostics);
            add("url", [&](const Value& value) { take_url(value); });
        }
        if (target.type == Type::alertmanager)
            add("urls", [&](const Value& value) {
                if (!field::expect(value, Kind::sequence, diagnostics)) return;
                for (const auto& item : value.items) take_url(item);
            });
        if (is({Type::alertmanager, Type::ntfy, Type::webhook, Type::telegram}))
            add_secret(list, "token", target.token, diagnostics);
        if (target.type == Type::pagerduty)
            add_secret(list, "routing_key", target.token, diagnostics);
        if (target.type == Type::ntfy) add_text("topic", target.topic);
        if (target.type == Type::telegram) add_text("chat", target.chat);
        if (target.type == Type::email) {
            add_text("from", target.from);
            add("to", [&](const Value& value) { target.to = texts(value, diagnostics); });
        }
        if (target.type == Type::webhook) {
            add("format", [&](const Value& value) {
                set(field::choice(value, formats, diagnostics), target.format);
            });
            add("template", [&](const Value& value) {
                if (!field::expect(value, Kind::scalar, diagnostics)) return;
                target.body = value.scalar;
                target.format = WebhookFormat::body_template;
                const auto wrong = alert::unknown_placeholder(target.body);
                if (!wrong.empty())
                    field::bad(value, diagnostics,
                               fmt::format("no placeholder is called {}", wrong),
                               "wgkit-alert(5) lists them");
            });
            add_text("content_type", target.content_type);
            add_secret(list, "signing_key", target.signing_key, diagnostics);
            add_secret(list, "old_signing_key", target.old_signing_key, diagnostics);
            add_secret(list, "hub_key", target.hub_key, diagnostics);
            add("headers",
                [&](const Value& value) { target.headers = text_map(value, diagnostics); });
        }
        return list;
    }

    void take_url(const Value& value) {
        auto word = field::text(value, diagnostics_);
        if (!word) return;
        if (url_is_secret()) {
            field::bad(value, diagnostics_,
                       "who knows this URL can post: it does not belong into this file",
                       "put it into a file of mode 0600 and write url_file: PATH, or url_env or "
                       "url_credential",
                       "secret-in-config");
        } else if (!is_url(*word)) {
            field::bad(value, diagnostics_, "this is not an http or https URL");
        } else {
            SecretSource source;
            source.text = *std::move(word);
            target_.urls.push_back(std::move(source));
        }
    }

    void missing(Mark mark, std::string_view what, std::string_view hint) {
        diagnostics_
            .error("missing-field", mark, fmt::format("target {} has no {}", target_.name, what))
            .hint = hint;
    }

    void check(Mark mark) {
        using Type = AlertTargetType;
        const bool has_default_url = is({Type::pagerduty, Type::telegram});
        const bool runs = is({Type::email, Type::exec});
        if (!runs && !has_default_url && target_.urls.empty())
            missing(mark, "url",
                    url_is_secret() ? "url_file: PATH of a file with the URL"
                                    : "url: https://HOST/...");
        if (target_.type == Type::exec && target_.command.empty())
            missing(mark, "command", "command: [/usr/local/bin/page, ops]");
        if (target_.type == Type::email) {
            if (target_.command.empty()) target_.command = {"/usr/sbin/sendmail", "-t", "-oi"};
            if (target_.to.empty()) missing(mark, "to", "to: ops@example.org");
        }
        if (target_.type == Type::ntfy && target_.topic.empty())
            missing(mark, "topic", "topic: wgkit");
        if (target_.type == Type::telegram && target_.chat.empty())
            missing(mark, "chat", "chat: \"-1001234567890\"");
        if (is({Type::pagerduty, Type::telegram}) && target_.token.empty())
            missing(mark, target_.type == Type::pagerduty ? "routing_key" : "token",
                    "routing_key_file or token_file: PATH");
        if (target_.type == Type::webhook && target_.format == WebhookFormat::body_template
            && target_.body.empty())
            missing(mark, "template", "template: '{\"text\": \"{{title}}\"}'");
    }

    AlertTarget& target_;
    Diagnostics& diagnostics_;
    SecretSource url_;
};

AlertRoute read_route(const Value& value, const AlertConfig& config, Diagnostics& diagnostics) {
    AlertRoute route;
    const Fields fields{
        {"to",
         [&](const Value& names) {
             route.to = texts(names, diagnostics);
             std::vector<std::string_view> known;
             for (const auto& target : config.targets) known.push_back(target.name);
             for (std::size_t i = 0; i < route.to.size(); ++i) {
                 if (std::find(known.begin(), known.end(), route.to[i]) != known.end()) continue;
                 const Mark mark =
                     names.items.size() == route.to.size() ? names.items[i].mark : names.mark;
                 auto& found = diagnostics.error(
                     "unknown-target", mark, fmt::format("no target is called '{}'", route.to[i]));
                 if (const auto near = ascii::nearest(route.to[i], known))
                     found.hint = fmt::format("did you mean '{}'?", *near);
             }
         }},
        {"match", [&](const Value& labels) { route.matches = text_map(labels, diagnostics); }},
        {"tags", [&](const Value& tags) { route.tags = texts(tags, diagnostics); }},
        {"types", [&](const Value& names) { route.types = texts(names, diagnostics); }},
        {"severity",
         [&](const Value& word) {
             set(field::choice(word, severities, diagnostics), route.minimum);
         }},
        {"continue",
         [&](const Value& word) { set(field::boolean(word, diagnostics), route.goes_on); }},
    };
    read(value, fields, diagnostics);
    return route;
}

} // namespace

AlertConfig parse_alert_config(std::string_view text, Diagnostics& diagnostics) {
    AlertConfig config;
    config.spool = default_alert_spool();
    const Value root = yaml::parse(text, diagnostics);
    if (diagnostics.errors() != 0) return config;
    const Value* routes = nullptr;
    bool has_version = false;
    Fields fields{
        {"version",
         [&](const Value& value) {
             has_version = true;
             field::number(value, 1, 1, diagnostics);
         }},
        {"spool", [&](const Value& value) { set(field::text(value, diagnostics), config.spool); }},
        {"source",
         [&](const Value& value) { set(field::text(value, diagnostics), config.source); }},
        {"repeat", [&](const Value& value) { set(duration(value, diagnostics), config.repeat); }},
        {"flap_changes",
         [&](const Value& value) {
             set(field::number(value, 0, 1000, diagnostics), config.flap_changes);
         }},
        {"flap_window",
         [&](const Value& value) { set(duration(value, diagnostics), config.flap_window); }},
        {"max_messages",
         [&](const Value& value) {
             if (const auto count = field::number(value, 1, 10'000'000, diagnostics))
                 config.max_messages = *count;
         }},
        {"max_age", [&](const Value& value) { set(duration(value, diagnostics), config.max_age); }},
        {"first_retry",
         [&](const Value& value) {
             if (const auto wait = duration(value, diagnostics)) config.first_retry = *wait;
         }},
        {"last_retry",
         [&](const Value& value) { set(duration(value, diagnostics), config.last_retry); }},
        {"targets",
         [&](const Value& value) {
             if (!field::expect(value, Kind::map, diagnostics)) return;
             for (const auto& member : value.members) {
                 config.targets.emplace_back();
                 TargetReader(config.targets.back(), diagnostics)
                     .run(member.key, member.key_mark, member.value);
             }
         }},
        {"routes", [&](const Value& value) { routes = &value; }},
    };
    add_secret(fields, "heartbeat_url", config.heartbeat, diagnostics);
    read(root, fields, diagnostics);
    if (routes != nullptr && field::expect(*routes, Kind::sequence, diagnostics))
        for (const auto& item : routes->items)
            config.routes.push_back(read_route(item, config, diagnostics));
    if (root.kind == Kind::map && !has_version)
        diagnostics.error("missing-field", root.mark, "the file has no version").hint =
            "write version: 1 in its first line";
    if (root.kind == Kind::map && config.targets.empty() && diagnostics.errors() == 0)
        diagnostics.error("missing-field", root.mark, "the file has no targets").hint =
            "wgkit-alert(5) shows some";
    return config;
}

} // namespace wgkit
