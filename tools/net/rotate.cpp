#include "net/rotate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>

#include "net/interface_file.hpp"
#include "net/pending.hpp"
#include "net/rotate_json.hpp"
#include "wgkit/files.hpp"
#include "wgkit/rotate.hpp"

namespace wgkit::tool::net {

namespace {

struct RotateOptions {
    std::string step;
    std::string file;
    std::vector<std::string> offers;
    rotate::Options rotation;
    std::string preshared_key;
    std::string host;
    std::uint32_t port = 0;
    std::uint32_t quiet = 60;
    std::uint32_t timeout = 300;
    bool json = false;
};

/// An argument is a file, or one offer itself, which is no secret. An array comes in a file only:
/// CLI11 takes "[...]" for a list of arguments.
Result<std::vector<rotate::Offer>> read_offers(const std::vector<std::string>& arguments) {
    std::vector<rotate::Offer> all;
    for (const auto& argument : arguments) {
        const bool is_text = argument.starts_with('{');
        SecretString text;
        if (!is_text) {
            auto read = files::read(argument);
            if (!read) return read.error();
            text = std::move(*read);
        }
        auto offers = parse_offers(is_text ? std::string_view(argument) : std::string_view(text),
                                   is_text ? "the argument" : argument);
        if (!offers) return offers.error();
        for (auto& offer : *offers) all.push_back(std::move(offer));
    }
    return all;
}

int accept_offers(const RotateOptions& options, const std::string& interface,
                  const Report& report) {
    auto offers = read_offers(options.offers);
    if (!offers) return report.error(offers.error());
    if (offers->empty()) {
        report.error("accept needs an offer", "wgkit-net rotate --help shows the options");
        return exit_usage;
    }
    if (!options.preshared_key.empty())
        if (auto read = rotate::read_preshared_keys(options.preshared_key, *offers); !read)
            return report.error(read.error());
    const auto done = rotate::accept(interface, std::move(*offers), options.rotation);
    return done ? static_cast<int>(exit_ok) : report.error(done.error());
}

int print_offer(const RotateOptions& options, const Report& report) {
    const auto loaded = load_interface(options.file, report);
    if (!loaded) return exit_failed;
    auto offer = rotate::prepare(loaded->file, loaded->config, options.rotation);
    if (!offer) return report.error(offer.error());
    if (!options.host.empty()) offer->second_host = options.host;
    print(to_json(*offer));
    return exit_ok;
}

std::string age(std::int64_t handshake) {
    if (handshake == 0) return "never";
    return fmt::format("{} s ago", std::max<std::int64_t>(0, std::time(nullptr) - handshake));
}

std::string rotation_text(const std::string& interface, const Json& json,
                          const std::optional<rotate::Status>& status) {
    if (!status) return fmt::format("{}: no rotation is under way\n", interface);
    std::string text =
        fmt::format("{}: {}{}; next: {}\n  second device  {}{}, {} routes\n", interface,
                    to_string(status->phase), status->going_back ? ", back to the old keys" : "",
                    json["next"].get<std::string>(), status->second,
                    status->second_is_there ? "" : " (not there)", status->routes);
    text += fmt::format("  key            {} -> {}\n", to_string(status->current),
                        to_string(status->next));
    for (const auto& peer : status->peers)
        text +=
            fmt::format("  peer           {} -> {}\n    handshakes   {}: {}, {}: {}\n",
                        to_string(peer.current), to_string(peer.next), interface,
                        age(peer.interface_handshake), status->second, age(peer.second_handshake));
    for (const auto& key : status->left_behind)
        text += fmt::format("  peer           {} has made no offer\n", to_string(key));
    return text;
}

/// Prints how far it is.
int tell_status(const RotateOptions& options, const std::string& interface, const Report& report) {
    const auto status = rotate::status(interface, options.rotation);
    if (!status) return report.error(status.error());
    const Json json = to_json(interface, *status);
    if (options.json)
        print(json);
    else
        fmt::print("{}", rotation_text(interface, json, *status));
    return *status ? exit_differences : exit_ok;
}

using RotateStep = Result<void> (*)(const std::string&, const rotate::Options&);

RotateStep step_named(const std::string& name) {
    if (name == "switch") return rotate::switch_over;
    if (name == "rekey") return rotate::rekey;
    if (name == "return") return rotate::give_back;
    if (name == "finish") return rotate::finish;
    if (name == "abort") return rotate::abort;
    return rotate::run;
}

int run_rotate(RotateOptions& options, const Report& report) {
    auto& rotation = options.rotation;
    rotation.port = static_cast<std::uint16_t>(options.port);
    rotation.quiet = std::chrono::seconds(options.quiet);
    rotation.timeout = std::chrono::seconds(options.timeout);
    rotation.tell = [&report](const std::string& text) { report.note(text); };
    rotation.warn = [&report](const Error& error) { report.warning(error.message, error.hint); };
    if (options.step != "accept" && !options.offers.empty()) {
        report.error("only accept takes offers", "wgkit-net rotate --help shows the options");
        return exit_usage;
    }
    const auto file = find_interface_file(options.file);
    if (!file) return report.error(file.error());
    const std::string& interface = file->interface;
    if (options.step == "status") return tell_status(options, interface, report);
    const auto lock = InterfaceLock::take(interface);
    if (!lock) return report.error(lock.error());
    if (auto free = check_nothing_pending(interface); !free) return report.error(free.error());
    if (options.step == "prepare") return print_offer(options, report);
    if (options.step == "accept") {
        if (const int status = accept_offers(options, interface, report); status != exit_ok)
            return status;
    } else if (const auto done = step_named(options.step)(interface, rotation); !done) {
        return report.error(done.error());
    }
    const int told = tell_status(options, interface, report);
    return told == exit_differences ? static_cast<int>(exit_ok) : told;
}

} // namespace

Action setup_rotate(Arguments arguments) {
    auto options = std::make_shared<RotateOptions>();
    arguments.add_option("STEP", options->step, "What to do; run does what is left of the rest")
        .type_name("")
        .choices(
            {"prepare", "accept", "switch", "rekey", "return", "finish", "run", "abort", "status"})
        .required();
    arguments
        .add_option("file", options->file,
                    "A path that ends with NAME.conf, or NAME for /etc/wireguard/NAME.conf")
        .type_name("FILE")
        .required();
    arguments
        .add_option("OFFER", options->offers,
                    "For accept: files with what prepare has printed at the other ends")
        .type_name("FILE");
    arguments
        .add_option("--preshared-key", options->preshared_key,
                    "accept: the pair's new key, or lines of public and preshared keys")
        .type_name("FILE");
    arguments.add_flag("--keep-key", options->rotation.keep_key,
                       "prepare: only peers get new keys, not this end");
    arguments.add_option("--port", options->port, "prepare: port of the second device")
        .type_name("PORT")
        .range(1, 65535);
    arguments
        .add_option("--second", options->rotation.second,
                    "prepare: name of the second device, by default IFACE-2")
        .type_name("NAME");
    arguments
        .add_option("--host", options->host,
                    "prepare: where others reach the second device, if not where the first is")
        .type_name("HOST");
    arguments
        .add_option("--quiet", options->quiet,
                    "A device is given up after so many seconds without a packet")
        .type_name("SECONDS")
        .shows_default()
        .range(0, 86400);
    arguments.add_option("--timeout", options->timeout, "How long to wait for the other ends")
        .type_name("SECONDS")
        .shows_default()
        .range(0, 86400);
    arguments.add_flag("!--no-wait", options->rotation.wait,
                       "Wait for nothing: it is known what the other ends have done");
    arguments.add_flag("--leave-behind", options->rotation.leave_behind,
                       "Go on although peers without an offer will be cut off");
    arguments
        .add_option("--state", options->rotation.state_folder, "Where keys and progress are kept")
        .type_name("DIR")
        .shows_default();
    arguments.add_flag("--json", options->json, "Print how far it is as JSON");
    return [options](const Report& report) { return run_rotate(*options, report); };
}

} // namespace wgkit::tool::net
