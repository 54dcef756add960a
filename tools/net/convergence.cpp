#include "net/convergence.hpp"

#include <fmt/format.h>

#include <ctime>

namespace wgkit::tool::net {

namespace {

void look_up_names(Convergence& it) {
    for (WantedPeer* peer : peers_to_look_up(it.wanted, it.present, it.options)) {
        auto found = look_up(*peer->endpoint);
        if (found)
            peer->address = *found;
        else
            it.unknown_endpoints.push_back(
                fmt::format("peer {}: {}", to_string(peer->public_key), found.error().message));
    }
}

} // namespace

Result<Convergence> converge(Target target, const ConvergenceOptions& options) {
    Convergence it;
    it.target = std::move(target);
    it.options = {options.keep_unmanaged, options.set_endpoints, std::time(nullptr)};
    it.wanted = wanted_device(it.target.config);
    auto backend = open_device(it.target.interface);
    if (!backend) return backend.error();
    it.backend = std::move(*backend);
    auto present = it.backend->get();
    if (!present) return present.error();
    it.present = std::move(*present);
    look_up_names(it);
    it.change = diff(it.wanted, it.present, it.options);
    return it;
}

int carry_out(const Convergence& it, const Report& report) {
    const auto& name = it.target.interface;
    int status = exit_ok;
    for (const auto& text : it.unknown_endpoints) {
        report.error(fmt::format("{}: {}", name, text), "its endpoint is left as it is");
        status = exit_failed;
    }
    if (it.change.empty()) return status;
    const auto refused = it.backend->set(it.change);
    if (!refused) return report.error(refused.error());
    for (const auto& peer : *refused)
        status = report.error(
            {peer.error.code,
             fmt::format("peer {}: {}", to_string(peer.public_key), peer.error.message),
             "the others have changed"});
    if (!refused->empty()) return status;
    const auto after = it.backend->get();
    if (!after) return report.error(after.error());
    if (!diff(it.wanted, *after, it.options).empty()) {
        report.error(fmt::format("{} is not what was asked for after the change", name),
                     fmt::format("`wgkit net plan {}` shows what differs", it.target.path));
        return exit_failed;
    }
    return status;
}

} // namespace wgkit::tool::net
