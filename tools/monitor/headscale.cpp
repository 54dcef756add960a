#include "monitor/headscale.hpp"

#include <unistd.h>

#include <cstdlib>

#include "common/loaded.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::monitor {

namespace {

Result<SecretString> api_key(const std::string& file) {
    SecretString key;
    if (!file.empty()) {
        auto read = files::read_secret(file);
        if (!read) return read;
        key = *std::move(read);
    } else if (const char* value = std::getenv("HEADSCALE_API_KEY")) {
        key = value;
    }
    const std::string_view trimmed = ascii::trim(key);
    if (!trimmed.empty()) return SecretString(trimmed);
    if (!file.empty()) return Error{Errc::invalid, file + " is empty", {}};
    return Error{Errc::not_found, "no API key for Headscale is given",
                 "--headscale-key-file FILE, or HEADSCALE_API_KEY in the environment; "
                 "headscale apikeys create makes one"};
}

} // namespace

void add_headscale_options(const Arguments& arguments, HeadscaleOptions& options) {
    const auto url = arguments
                         .add_option("--headscale", options.url,
                                     "Judge the nodes of this Headscale server instead of devices")
                         .type_name("URL");
    arguments
        .add_option("--headscale-key-file", options.key_file,
                    "A file with an API key for it (default: HEADSCALE_API_KEY)")
        .type_name("FILE")
        .needs(url);
    arguments
        .add_option("--headscale-ca-file", options.ca_file,
                    "Trust these authorities instead of the system's")
        .type_name("FILE")
        .needs(url);
    arguments
        .add_option("--grace", options.grace,
                    "A node may be offline for so many seconds before that is trouble")
        .range(0, 86400 * 366)
        .shows_default()
        .type_name("SECONDS")
        .needs(url);
}

int run_headscale(const MonitorOptions& options, const Report& report) {
    auto key = api_key(options.headscale.key_file);
    if (!key) return cannot_tell(report, key.error());
    const auto ask =
        load_symbol(WGKIT_MONITOR_HEADSCALE_LIBRARY, ask_headscale_name, "ask Headscale");
    if (!ask) return cannot_tell(report, ask.error());
    HeadscaleQuestion question{options, *std::move(key), {}, false};
    question.colour = options.output.empty() && wants_colour(STDOUT_FILENO);
    std::optional<Store> store;
    if (!options.no_state) {
        auto opened = Store::open(
            options.state.empty() ? default_state_folder() + "/headscale.state" : options.state);
        if (!opened) return cannot_tell(report, opened.error());
        store = *std::move(opened);
        auto text = store->load();
        if (!text) return cannot_tell(report, text.error());
        question.previous = std::string(*text);
    }
    HeadscaleAnswer answer;
    reinterpret_cast<AskHeadscale> (*ask)(question, answer, report);
    if (store && answer.unusable) store->set_aside(*answer.unusable, report);
    return conclude(options, std::move(answer.found), store, report);
}

} // namespace wgkit::tool::monitor
