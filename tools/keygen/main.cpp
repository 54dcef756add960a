// wgkit-keygen: keys, as `wg genkey`, `wg pubkey` and `wg genpsk`, and whole key files.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "common/app.hpp"
#include "common/secret_output.hpp"
#include "keygen/output.hpp"
#include "wgkit/key_files.hpp"
#include "wgkit/keys.hpp"

namespace {

using namespace wgkit;

constexpr std::uint32_t most_sets = 100'000;

/// As `wg` does, before a secret goes to standard output.
void warn_if_world_accessible(const tool::Report& report) {
    struct stat info {};
    if (::fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode)
        && (info.st_mode & S_IRWXO) != 0)
        report.warning("writing to a world accessible file", "set the umask to 077 and try again");
}

int print_key(const tool::Report& report, SecretString key) {
    warn_if_world_accessible(report);
    tool::print(key += '\n');
    return tool::exit_ok;
}

/// The options for making pairs belong to the program itself: before a command they would be lost.
bool refuse_pair_options(const tool::Report& report, tool::Arguments command) {
    for (const tool::Option option : command.options_of_program()) {
        if (option.count() == 0) continue;
        report.error(fmt::format("{} does not go with {}", option.name(), command.command()),
                     "it is for making pairs: wgkit-keygen without a command");
        return true;
    }
    return false;
}

/// `genkey` and `genpsk`, which have no options.
template <auto generate>
tool::Action print_new(tool::Arguments app) {
    return [app](const tool::Report& report) -> int {
        if (refuse_pair_options(report, app)) return tool::exit_usage;
        return print_key(report, reveal_base64(generate()));
    };
}

struct PubkeyOptions {
    std::string file = "-";
    bool allow_open = false;
};

tool::Action pubkey(tool::Arguments app) {
    auto options = std::make_shared<PubkeyOptions>();
    auto file = app.add_option("--key", options->file,
                               "Read the private key from this file, not from standard input")
                    .type_name("FILE");
    app.add_flag("--insecure-permissions", options->allow_open,
                 "Go on if group or others may access the file")
        .needs(file);
    return [app, options](const tool::Report& report) -> int {
        if (refuse_pair_options(report, app)) return tool::exit_usage;
        auto key = read_private_key(options->file, options->allow_open);
        if (!key) {
            if (key.error().code == Errc::permission && !key.error().hint.empty())
                key.error().hint += "; --insecure-permissions goes on";
            return report.error(key.error());
        }
        fmt::print("{}\n", to_string(public_key(*key)));
        return tool::exit_ok;
    };
}

struct PairOptions {
    KeyFilesRequest request;
    std::uint32_t count = 1;
    bool json = false;
};

tool::Action pairs(tool::Arguments app) {
    auto options = std::make_shared<PairOptions>();
    auto& request = options->request;
    auto folder = app.add_option("-o,--output", request.folder, "Write key files into this folder")
                      .type_name("DIR");
    auto name =
        app.add_option("--name", request.name, "Name the files NAME.key, NAME.pub, NAME.psk")
            .type_name("NAME")
            .needs(folder);
    folder.needs(name);
    auto count = app.add_option("--count", options->count,
                                "Make this many pairs; files are NAME-1.key and so on")
                     .type_name("N")
                     .range(1, most_sets);
    app.add_flag("--psk", request.preshared_key, "Make a preshared key with each pair");
    app.add_flag("--force", request.overwrite, "Replace key files that exist").needs(folder);
    app.add_flag("--json", options->json, "Print JSON");
    return [options, folder, count](const tool::Report& report) -> int {
        std::vector<tool::Fields> sets;
        if (folder.count() == 0) {
            warn_if_world_accessible(report);
            for (std::uint32_t i = 0; i < options->count; ++i)
                sets.push_back(tool::fields_of(generate_key_set(options->request.preshared_key)));
        } else {
            if (count.count() > 0) options->request.count = options->count;
            auto files = write_key_files(options->request);
            if (!files) {
                if (files.error().code == Errc::exists && files.error().hint.empty())
                    files.error().hint = "choose another --name; --force replaces the files";
                const int failed = report.error(files.error());
                return files.error().code == Errc::invalid ? int{tool::exit_usage} : failed;
            }
            for (const auto& set : *files) sets.push_back(tool::fields_of(set));
        }
        tool::print(options->json ? tool::to_json(sets) : tool::to_text(sets));
        return tool::exit_ok;
    };
}

constexpr std::array commands{
    tool::Command{"", "Make a pair of keys", pairs},
    tool::Command{"genkey", "Print a new private key", print_new<generate_private_key>},
    tool::Command{"pubkey", "Print the public key of a private key", pubkey},
    tool::Command{"genpsk", "Print a new preshared key", print_new<generate_preshared_key>},
};

} // namespace

int main(int argc, char** argv) {
    return wgkit::tool::run("wgkit-keygen", "Make WireGuard keys", commands, argc, argv);
}
