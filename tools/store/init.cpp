#include <fmt/format.h>

#include "store/commands.hpp"
#include "store/common.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::store {

namespace {

struct InitCommandOptions {
    StoreCommandOptions common;
    wgkit::agent::StoreOptions store;
    std::string password_file;
};

int run_init(InitCommandOptions& options, const Report& report) {
    if (!options.password_file.empty()) {
        const auto password = files::read_secret(options.password_file);
        if (!password) return report.error(password.error());
        options.store.password = SecretString(ascii::trim(*password));
        if (options.store.password.empty()) {
            report.error(options.password_file + " is empty");
            return exit_failed;
        }
    }
    return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
        const auto done = wgkit::agent::init_store(op, options.store);
        if (!done) return report.error(done.error());
        report.note(fmt::format("{} holds the operator's keys: keep a copy, and move recovery.key "
                                "to where it is safe",
                                options.common.home));
        return static_cast<int>(exit_ok);
    });
}

} // namespace

Action setup_init(Arguments arguments) {
    auto options = std::make_shared<InitCommandOptions>();
    add_home(arguments, options->common);
    arguments
        .add_option("--store", options->store.url,
                    "The store: etcd://HOST,HOST, or etcd+http:// without TLS")
        .type_name("URL")
        .required();
    arguments
        .add_option("--network", options->store.network, "The network's name, as in nodes.yaml")
        .type_name("NAME")
        .required();
    arguments
        .add_option("--ca", options->store.ca_file,
                    "Certificates that the store's are checked with; default: the system's")
        .type_name("FILE");
    arguments
        .add_option("--password-file", options->password_file,
                    "Password of the store's user root; without it the store asks nobody")
        .type_name("FILE");
    return [options](const Report& report) { return run_init(*options, report); };
}

} // namespace wgkit::tool::store
