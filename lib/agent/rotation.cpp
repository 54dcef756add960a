#include "agent/rotation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "trust/envelope.hpp"
#include "trust/json_fields.hpp"
#include "util/json_text.hpp"
#include "wgkit/files.hpp"
#include "wgkit/rotate.hpp"

namespace wgkit::agent {

namespace {

/// Other ends are heard at least every two seconds while they need a device.
constexpr std::chrono::milliseconds quiet{3000};
/// All ends were asked at once, and none is left alone: there is no reason to give up.
constexpr std::chrono::hours patience{24 * 365};

rotate::Options options_in(const std::string& folder) {
    rotate::Options options;
    options.state_folder = folder;
    options.quiet = quiet;
    options.timeout = patience;
    return options;
}

bool has_peer(const config::Config& config, const PublicKey& key) {
    return std::any_of(config.peers.begin(), config.peers.end(),
                       [&](const auto& peer) { return peer.public_key == key; });
}

std::vector<PublicKey> revoked_keys(const trust::State& state) {
    std::vector<PublicKey> keys;
    for (const auto& text : state.snapshot.revoked)
        if (auto key = PublicKey::parse(text)) keys.push_back(*key);
    return keys;
}

} // namespace

Result<void> NodeRotation::restore() {
    const auto text = files::read(note_path());
    if (!text) {
        if (text.error().code == Errc::not_found) return {};
        return text.error();
    }
    trust::JsonFields in(*text, note_path());
    const std::string id = in.text("id");
    interface_ = in.text("interface");
    keeps_key_ = in.number("keeps_key") != 0;
    is_done_ = in.number("done") != 0;
    if (auto good = in.finish(true); !good) return good.error();
    id_ = id;
    const auto boot = files::read_secret(boot_path());
    if (!boot) return boot.error();
    if (context_.machine.has(interface_)) return {};
    auto parsed = config::parse(*boot, boot_path());
    if (parsed.diagnostics.errors() != 0)
        return Error{Errc::invalid, fmt::format("{} is malformed", boot_path()), {}};
    auto up = context_.machine.apply(interface_, parsed.config, context_.warn);
    if (!up) return up.error();
    return {};
}

bool NodeRotation::is_wanted(const trust::State& state) const {
    return state.rotation && state.rotation->takes_part(context_.identity.node);
}

Result<void> NodeRotation::begin(const trust::State& state, const OwnConfig& own) {
    if (auto made = files::make_folders(folder(), 0700); !made) return made;
    interface_ = own.interface;
    keeps_key_ = !state.rotation->is_rotating(context_.identity.node);
    is_done_ = false;
    if (auto put = files::replace(boot_path(), config::write(own.config), 0600); !put) return put;
    id_ = state.rotation->id;
    if (auto noted = save_note(); !noted) {
        id_.clear();
        return noted;
    }
    return {};
}

Result<std::string> NodeRotation::renewal(const trust::State& state) const {
    if (!is_wanted(state) || state.rotation->id != id_ || is_done_
        || !state.rotation->renewals.empty())
        return std::string();
    auto options = options_in(folder());
    options.keep_key = keeps_key_;
    options.warn = context_.warn;
    const auto boot = files::read_secret(boot_path());
    if (!boot) return boot.error();
    const auto parsed = config::parse(*boot, boot_path());
    const auto offer = rotate::prepare({boot_path(), interface_}, parsed.config, options);
    if (!offer) return offer.error();
    const auto key = rotate::wanted_key(interface_, options);
    if (!key) return key.error();
    trust::Renewal renewal{context_.identity.network,
                           context_.identity.node,
                           id_,
                           offer->current,
                           offer->next,
                           offer->second,
                           offer->second_port,
                           {}};
    auto mac = trust::possession_mac(renewal, *state.rotation, *key);
    if (!mac) return mac.error();
    renewal.mac = *std::move(mac);
    const std::array signer{&context_.keys.agent};
    return to_text(
        trust::seal_document(std::string(trust::type::renewal), to_json(renewal), signer));
}

Result<bool> NodeRotation::advance(const trust::State& state) {
    if (!is_under_way()) return false;
    if (!is_wanted(state) || state.rotation->id != id_) {
        // All are done, or it was withdrawn before anybody had changed more than a second device.
        if (auto back = go_back(); !back) return back.error();
        if (auto gone = forget(); !gone) return gone.error();
        return true;
    }
    if (state.rotation->renewals.empty()) return false;
    const auto options = options_in(folder());
    if (is_done_) { // but a kill may have kept the second device
        if (auto ended = rotate::finish(interface_, options); !ended) return ended.error();
        return false;
    }
    if (auto done = put_in_place(state); !done) return done.error();
    return false;
}

Result<void> NodeRotation::put_in_place(const trust::State& state) {
    auto options = options_in(folder());
    options.pause = context_.pause;
    options.tell = context_.tell;
    options.warn = context_.warn;
    options.leave_behind = state.rotation->leave_behind;
    const auto boot = files::read_secret(boot_path());
    if (!boot) return boot.error();
    const auto config = config::parse(*boot, boot_path()).config;
    std::vector<rotate::Offer> offers;
    for (const auto& renewal : state.renewals)
        if (is_offer_for_us(config, renewal, *state.rotation)) {
            rotate::Offer offer;
            offer.interface = interface_;
            offer.current = renewal.current;
            offer.next = renewal.next;
            offer.second = renewal.second;
            offer.second_port = static_cast<std::uint16_t>(renewal.second_port);
            offers.push_back(std::move(offer));
        }
    if (auto taken = rotate::accept(interface_, std::move(offers), options); !taken) return taken;
    for (const auto step : {rotate::switch_over, rotate::rekey, rotate::give_back})
        if (auto done = step(interface_, options); !done) return done;
    // In this order, so that a run that is killed here finds either a record or all of it done.
    if (auto adopted = adopt_key(); !adopted) return adopted;
    is_done_ = true;
    if (auto noted = save_note(); !noted) return noted;
    return rotate::finish(interface_, options);
}

/// A peer by its present or its next key: the file has the next one once it was rekeyed.
bool NodeRotation::is_offer_for_us(const config::Config& config, const trust::Renewal& renewal,
                                   const trust::Rotation& rotation) const {
    if (renewal.node == context_.identity.node) return false;
    const bool changes = !keeps_key_ || rotation.is_rotating(renewal.node);
    return changes && (has_peer(config, renewal.current) || has_peer(config, renewal.next));
}

Result<void> NodeRotation::adopt_key() {
    auto key = rotate::wanted_key(interface_, options_in(folder()));
    if (!key) return key.error();
    if (equal(*key, context_.keys.wireguard)) return {};
    if (auto saved = save_wireguard_key(context_.folder, *key); !saved) return saved;
    context_.keys.wireguard = *std::move(key);
    return {};
}

Result<void> NodeRotation::go_back() {
    auto options = options_in(folder());
    options.pause = context_.pause;
    options.warn = context_.warn;
    const auto begun = rotate::is_under_way(interface_, options);
    if (!begun) return begun.error();
    if (!*begun) return {};
    if (is_done_) return rotate::finish(interface_, options);
    if (auto aborted = rotate::abort(interface_, options); !aborted) return aborted;
    return rotate::run(interface_, options);
}

Result<void> NodeRotation::drop_revoked(const trust::State& state) {
    if (!is_under_way()) return {};
    const auto keys = revoked_keys(state);
    const bool is_out = state.find(context_.identity.node) == nullptr;
    const auto options = options_in(folder());
    const auto boot = files::read_secret(boot_path());
    if (!boot) return boot.error();
    auto config = config::parse(*boot, boot_path()).config;
    const auto left = std::remove_if(config.peers.begin(), config.peers.end(), [&](auto& peer) {
        return is_out || std::find(keys.begin(), keys.end(), peer.public_key) != keys.end();
    });
    std::vector<PublicKey> gone = keys;
    for (auto peer = left; peer != config.peers.end(); ++peer) gone.push_back(peer->public_key);
    config.peers.erase(left, config.peers.end());
    // The file first: what a reboot would bring back must not be there.
    if (const auto text = config::write(config); text != *boot)
        if (auto put = files::replace(boot_path(), text, 0600); !put) return put;
    if (auto dropped = rotate::drop_peers(interface_, gone, options); !dropped) return dropped;
    return is_out ? context_.machine.remove_all_peers(interface_)
                  : context_.machine.remove_peers(interface_, keys);
}

Result<void> NodeRotation::save_note() const {
    const auto text = json_text::dump(nlohmann::json{{"schema", 1},
                                                     {"id", id_},
                                                     {"interface", interface_},
                                                     {"keeps_key", keeps_key_ ? 1 : 0},
                                                     {"done", is_done_ ? 1 : 0}});
    return files::replace(note_path(), text + "\n", 0600);
}

Result<void> NodeRotation::forget() {
    // The note first: without it there is no rotation.
    for (const auto& path : {note_path(), boot_path()})
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            return Error{Errc::system, fmt::format("cannot remove {}", path), {}};
    id_.clear();
    is_done_ = false;
    return {};
}

} // namespace wgkit::agent
