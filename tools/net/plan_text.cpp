#include "net/plan_text.hpp"

#include <fmt/format.h>

#include <iterator>
#include <unordered_map>

#include "net/host_words.hpp"

namespace wgkit::tool::net {

namespace {

std::string mark_text(std::uint32_t fwmark) {
    return fwmark == 0 ? "off" : fmt::format("{:#x}", fwmark);
}

std::string keepalive_text(std::uint16_t seconds) {
    return seconds == 0 ? "off" : fmt::format("every {} s", seconds);
}

class PlanText {
  public:
    PlanText(const Convergence& it, bool colour) : it_(it), colour_(colour) {
        for (const auto& peer : it.wanted.peers)
            if (!peer.name.empty()) names_.emplace(peer.public_key, peer.name);
        for (const auto& peer : it.present.peers) present_.emplace(peer.public_key, &peer);
    }

    std::string write() {
        const auto& change = it_.change;
        const auto& path = it_.target.file.path;
        if (it_.empty()) return fmt::format("{} is as {} wants it\n", it_.interface(), path);
        text_ = fmt::format("{}, as {} wants it:\n", it_.interface(), path);
        write_device(change);
        for (const auto& peer : change.peers) write_peer(peer);
        for (const auto& key : change.removed_peers) line('-', "peer " + peer_text(key));
        for (const auto& step : it_.host.steps) {
            const auto [sign, words] = to_words(step);
            line(sign, words);
        }
        return std::move(text_);
    }

  private:
    void line(char sign, std::string_view what, int depth = 1) {
        const char* colour = sign == '+' ? "32" : sign == '-' ? "31" : "33";
        text_.append(2 * static_cast<std::size_t>(depth), ' ');
        if (colour_)
            fmt::format_to(std::back_inserter(text_), "\033[{}m{}\033[0m {}\n", colour, sign, what);
        else
            fmt::format_to(std::back_inserter(text_), "{} {}\n", sign, what);
    }

    std::string peer_text(const PublicKey& key) const {
        const auto name = names_.find(key);
        return name == names_.end() ? to_string(key)
                                    : fmt::format("{} ({})", to_string(key), name->second);
    }

    void write_device(const DeviceChange& change) {
        if (change.private_key) {
            const bool zero = is_zero(*change.private_key);
            line(zero ? '-' : '~', zero ? "private key"
                                        : fmt::format("private key, public key {}",
                                                      to_string(public_key(*change.private_key))));
        }
        if (change.listen_port)
            line('~', fmt::format("listening port {} -> {}", it_.present.listen_port,
                                  *change.listen_port));
        if (change.fwmark)
            line('~', fmt::format("firewall mark {} -> {}", mark_text(it_.present.fwmark),
                                  mark_text(*change.fwmark)));
    }

    void write_peer(const PeerChange& peer) {
        static const DevicePeer nobody;
        const auto found = present_.find(peer.public_key);
        const DevicePeer& before = found == present_.end() ? nobody : *found->second;
        line(peer.is_new ? '+' : '~', "peer " + peer_text(peer.public_key));
        if (peer.preshared_key) {
            const bool zero = is_zero(*peer.preshared_key);
            line(zero ? '-' : before.preshared_key ? '~' : '+', "preshared key", 2);
        }
        if (peer.endpoint && before.endpoint)
            line('~',
                 fmt::format("endpoint {} -> {}", to_string(*before.endpoint),
                             to_string(*peer.endpoint)),
                 2);
        else if (peer.endpoint)
            line('+', "endpoint " + to_string(*peer.endpoint), 2);
        if (peer.persistent_keepalive)
            line('~',
                 fmt::format("keepalive {} -> {}", keepalive_text(before.persistent_keepalive),
                             keepalive_text(*peer.persistent_keepalive)),
                 2);
        for (const auto& prefix : peer.added) line('+', "allowed ip " + to_string(prefix), 2);
        for (const auto& moved : peer.moved)
            line('+',
                 fmt::format("allowed ip {}, which peer {} has", to_string(moved.prefix),
                             peer_text(moved.from)),
                 2);
        for (const auto& prefix : peer.removed) line('-', "allowed ip " + to_string(prefix), 2);
    }

    const Convergence& it_;
    bool colour_;
    std::unordered_map<PublicKey, std::string> names_;
    std::unordered_map<PublicKey, const DevicePeer*> present_;
    std::string text_;
};

} // namespace

std::string to_text(const Convergence& convergence, bool colour) {
    return PlanText(convergence, colour).write();
}

} // namespace wgkit::tool::net
