#include <fmt/format.h>

#include <array>
#include <charconv>
#include <memory>

#include "alert/commands.hpp"
#include "alert/common.hpp"
#include "util/rfc3339.hpp"

namespace wgkit::tool::alert {

namespace {

struct SilenceOptions {
    ConfigOptions config;
    std::vector<std::string> matches;
    std::string lasts;
    std::string comment;
    std::string remove;
    bool json = false;
};

/// "90s", "30m", "2h", "1d"
std::optional<std::chrono::seconds> duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::int64_t unit = 0;
    switch (text.back()) {
    case 's':
        unit = 1;
        break;
    case 'm':
        unit = 60;
        break;
    case 'h':
        unit = 3600;
        break;
    case 'd':
        unit = 86400;
        break;
    default:
        return std::nullopt;
    }
    text.remove_suffix(1);
    std::int64_t count = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
    constexpr std::int64_t most = 366LL * 86400;
    if (failure != std::errc{} || end != text.data() + text.size() || count <= 0
        || count > most / unit)
        return std::nullopt;
    return std::chrono::seconds(count * unit);
}

int add(const SilenceOptions& options, AlertSpool& spool, const Report& report) {
    AlertSilence silence;
    auto matches = pairs(options.matches, report);
    if (!matches) return exit_usage;
    silence.matches = *std::move(matches);
    const auto lasts = duration(options.lasts);
    if (silence.matches.empty() || !lasts) {
        report.error(silence.matches.empty() ? "a silence needs what it holds back"
                                             : "a silence needs an end, at most a year away",
                     "for instance: wgkit alert silence --match peer=laptop --for 2h");
        return exit_usage;
    }
    silence.until = now() + *lasts;
    silence.comment = options.comment;
    const auto id = spool.add_silence(silence);
    if (!id) return report.error(id.error());
    if (options.json)
        print({{"schema", 1}, {"silence", *id}, {"until", rfc3339(silence.until)}});
    else
        fmt::print("silence {} until {}\n", *id, rfc3339(silence.until));
    return exit_ok;
}

int run_silence(const SilenceOptions& options, const Report& report) {
    const auto config = load_config(options.config, report);
    if (!config) return exit_failed;
    auto spool = open_spool(*config, report);
    if (!spool) return exit_failed;
    if (options.remove.empty()) return add(options, *spool, report);
    std::int64_t id = 0;
    const char* end = options.remove.data() + options.remove.size();
    if (std::from_chars(options.remove.data(), end, id).ptr != end) {
        report.error(fmt::format("'{}' is not the number of a silence", options.remove),
                     "wgkit alert list shows them");
        return exit_usage;
    }
    auto removed = spool->remove_silence(id);
    if (!removed) return report.error(removed.error());
    return exit_ok;
}

} // namespace

Action silence(Arguments arguments) {
    auto options = std::make_shared<SilenceOptions>();
    options->config.add_to(arguments);
    const auto match =
        arguments
            .add_option("--match", options->matches,
                        "A label and its value, or `key`, `type`, `severity`; all must match")
            .type_name("LABEL=VALUE");
    arguments.add_option("--for", options->lasts, "How long: a number and s, m, h or d")
        .type_name("TIME");
    arguments.add_option("--comment", options->comment, "Why").type_name("TEXT");
    arguments.add_option("--remove", options->remove, "End the silence of this number instead")
        .type_name("ID")
        .excludes(match);
    arguments.add_flag("--json", options->json, "Print it as JSON");
    return [options](const Report& report) { return run_silence(*options, report); };
}

} // namespace wgkit::tool::alert
