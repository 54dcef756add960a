#include <fmt/format.h>

#include "common/secret_output.hpp"
#include "store/commands.hpp"
#include "store/common.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::store {

namespace {

struct JoinKeyCommandOptions {
    StoreCommandOptions common;
    wgkit::agent::JoinKeyOptions key;
    std::vector<std::string> pools;
    std::string expires = "1d";
    std::string out;
};

int run_joinkey(JoinKeyCommandOptions& options, const Report& report) {
    for (const auto& text : options.pools) {
        const auto pool = Prefix::parse(text);
        if (!pool) return report.error(pool.error());
        (pool->address.is_v4() ? options.key.ipv4 : options.key.ipv6) = pool->masked();
    }
    const auto valid_for = parse_duration(options.expires);
    if (!valid_for) {
        report.error(fmt::format("'{}' is no time", options.expires),
                     "for instance 30m, 12h or 7d");
        return exit_usage;
    }
    options.key.valid_for = *valid_for;
    return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
        const auto made = wgkit::agent::make_join_key(op, options.key);
        if (!made) return report.error(made.error());
        report.note(fmt::format("join key {}", made->id));
        if (options.out.empty()) {
            print(made->token + "\n");
            return static_cast<int>(exit_ok);
        }
        const auto written = files::create(options.out, made->token + "\n", 0600);
        return written ? static_cast<int>(exit_ok) : report.error(written.error());
    });
}

} // namespace

Action setup_joinkey(Arguments arguments) {
    auto options = std::make_shared<JoinKeyCommandOptions>();
    add_home(arguments, options->common);
    arguments
        .add_option("--pool", options->pools,
                    "Addresses that nodes take, inside of the network's; one for each family")
        .type_name("PREFIX")
        .required();
    arguments.add_option("--tag", options->key.tags, "A tag that nodes get; may be repeated")
        .type_name("TAG");
    arguments.add_option("--count", options->key.count, "How many nodes may join")
        .type_name("N")
        .range(1, 100'000)
        .shows_default();
    arguments.add_option("--expires", options->expires, "How long, as 30m, 12h or 7d")
        .type_name("TIME")
        .shows_default();
    arguments.add_option("-o,--output", options->out, "A new file for the token, mode 0600")
        .type_name("FILE");
    add_validity(arguments, options->common);
    return [options](const Report& report) { return run_joinkey(*options, report); };
}

} // namespace wgkit::tool::store
