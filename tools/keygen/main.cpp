// wgkit-keygen: keys, as `wg genkey`, `wg pubkey` and `wg genpsk`, and whole key files.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "common/app.hpp"
#include "wgkit/keys.hpp"

namespace {

using namespace wgkit;

tool::Action genkey(CLI::App&) {
    return [](const tool::Report&) {
        const auto text = reveal_base64(generate_private_key());
        fmt::print("{}\n", std::string_view(text));
        return tool::exit_ok;
    };
}

constexpr std::array commands{
    tool::Command{"genkey", "Print a new private key", genkey},
};

} // namespace

int main(int argc, char** argv) {
    return wgkit::tool::run("wgkit-keygen", "Make WireGuard keys", commands, argc, argv);
}
