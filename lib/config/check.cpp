#include "config/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "config/value.hpp"
#include "util/dns_entry.hpp"

namespace wgkit::config {

namespace {

void check_interface(const Interface& interface, Diagnostics& diagnostics) {
    if (interface.private_key && is_zero(*interface.private_key))
        diagnostics
            .warning("zero-key", interface.origins.mark(Key::private_key),
                     "PrivateKey is all zeros, which takes the key away")
            .hint = "`wgkit keygen genkey` makes one";
    if (!interface.dns.empty()
        && std::none_of(interface.dns.begin(), interface.dns.end(),
                        [](const std::string& entry) { return is_dns_server(entry); }))
        diagnostics
            .warning("search-only-dns", interface.origins.mark(Key::dns),
                     "DNS has search domains but no server, so wg-quick sets nothing")
            .hint = "add the address of a server";
}

void check_peer_keys(const Config& config, Diagnostics& diagnostics) {
    std::optional<PublicKey> own;
    if (config.interface.private_key) own = public_key(*config.interface.private_key);
    std::unordered_map<PublicKey, Mark> seen;
    for (const auto& peer : config.peers) {
        const Mark mark = peer.origins.mark(Key::public_key);
        if (peer.origins.find(Key::public_key) == nullptr && peer.mark.line != 0) {
            diagnostics.error("no-public-key", peer.mark, "peer has no PublicKey").hint =
                "each [Peer] needs one";
            continue;
        }
        if (peer.preshared_key && is_zero(*peer.preshared_key))
            diagnostics
                .warning("zero-key", peer.origins.mark(Key::preshared_key),
                         "PresharedKey is all zeros, which means none")
                .hint = "`wgkit keygen genpsk` makes one";
        if (own && *own == peer.public_key)
            diagnostics
                .warning("own-key", mark,
                         "peer has this interface's own key, so the kernel ignores it")
                .hint = "remove the peer, or give it the other side's public key";
        if (peer.public_key == PublicKey{}) continue; // it could not be read
        const auto [first, fresh] = seen.emplace(peer.public_key, mark);
        if (fresh) continue;
        auto& finding = diagnostics.warning("duplicate-peer", mark, "two peers have the same key");
        finding.hint = "merge them: the later section replaces the AllowedIPs of the earlier";
        finding.notes.push_back({{}, first->second, "first used here"});
    }
}

void check_signs(const Peer& peer, Diagnostics& diagnostics) {
    if (!peer.replace_allowed_ips) return;
    for (std::size_t i = 0; i < peer.allowed_ips.size(); ++i) {
        if (peer.allowed_ips[i].sign == Sign::none) continue;
        diagnostics
            .warning("mixed-signs", peer.origins.mark(Key::allowed_ips, i),
                     "a later AllowedIPs line without signs replaces everything")
            .hint = "put entries without a sign on the same line, or give each one a sign";
        return;
    }
}

void check_allowed_ips(const Config& config, Diagnostics& diagnostics) {
    struct Owner {
        const Peer* peer;
        Mark mark;
    };
    std::map<Prefix, Owner> owners;
    for (const auto& peer : config.peers) {
        check_signs(peer, diagnostics);
        for (std::size_t i = 0; i < peer.allowed_ips.size(); ++i) {
            const auto& entry = peer.allowed_ips[i];
            if (entry.sign == Sign::remove) continue;
            const Mark mark = peer.origins.mark(Key::allowed_ips, i);
            const auto [first, fresh] = owners.emplace(entry.prefix.masked(), Owner{&peer, mark});
            if (fresh) continue;
            const bool same = first->second.peer->public_key == peer.public_key;
            auto& finding = diagnostics.warning(
                "duplicate-allowed-ip", mark,
                same ? fmt::format("{} is listed twice", to_string(first->first))
                     : fmt::format("{} belongs to another peer already", to_string(first->first)));
            finding.hint = same ? "remove one" : "the last peer gets all its packets; remove one";
            finding.notes.push_back({{}, first->second.mark, "first listed here"});
        }
    }
}

} // namespace

void check(const Config& config, Options, Diagnostics& diagnostics) {
    check_interface(config.interface, diagnostics);
    check_peer_keys(config, diagnostics);
    check_allowed_ips(config, diagnostics);
    const auto& interface = config.interface;
    if (config.peers.empty() && !interface.private_key && !interface.listen_port
        && !interface.fw_mark && diagnostics.errors() == 0)
        diagnostics.warning("empty-config", {}, "file sets nothing for wg").hint =
            "`wg setconf` and `wg syncconf` with it erase the key and every peer";
}

} // namespace wgkit::config
