#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/device.hpp"
#include "wgkit/export.hpp"
#include "wgkit/interface.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// New keys for a running interface, without losing a packet. For the change the traffic takes a
/// second device with keys of its own; meanwhile the interface gets its new keys where it is, and
/// the traffic comes back. Name, port, addresses and firewall rules of the interface stay.
///
/// The steps in order: `prepare`, `accept`, `switch_over`, `rekey`, `give_back`, `finish`. Each can
/// be repeated, goes on where an earlier run was killed, and waits for what the other ends must
/// have done, as far as packets show it: an end that still sends on a device is heard there at
/// least every two seconds. wgkit-net(8) tells it from the operator's side.
namespace wgkit::rotate {

/// What one end tells the others. Holds no secret unless somebody adds a preshared key.
struct Offer {
    std::string interface;
    PublicKey current; ///< of the interface now
    PublicKey next;    ///< of the interface afterwards; the same if it keeps its key
    PublicKey second;  ///< of the second device
    std::uint16_t second_port = 0;
    /// Where the second device is reached, if not at the address of the first.
    std::optional<std::string> second_host{};
    /// For the pair from now on; without one the present one stays, if there is any.
    std::optional<PresharedKey> preshared_key{};
};

/// Adds to offers the preshared keys of a file: one key alone, for the only offer, or lines
/// `PUBLIC-KEY PRESHARED-KEY` as wg(8) prints them. Errors: permission (others may read it),
/// not_found, invalid (with the line).
WGKIT_API Result<void> read_preshared_keys(const std::string& path, std::vector<Offer>& offers);

/// What is behind an interface.
enum class Phase {
    prepared, ///< the second device is there
    switched, ///< the traffic is on it
    rekeying, ///< the interface may have either keys
    rekeyed,  ///< the interface and its file have the wanted keys
    returned, ///< the traffic is back
};
/// The word in state files and for people.
WGKIT_API std::string_view to_string(Phase phase);

/// Where a rotation keeps its state, and what its second device is.
struct Options {
    std::string state_folder = "/var/lib/wgkit/rotate";
    std::string second{};   ///< name of the second device; empty: the interface's and "-2"
    std::uint16_t port = 0; ///< of the second device; 0: the interface's and 100
    bool keep_key = false;  ///< the interface keeps its own key: only its peers change theirs
    /// How long nothing must have come in before a device is given up.
    std::chrono::milliseconds quiet{60'000};
    std::chrono::milliseconds timeout{300'000}; ///< for what the other ends must do
    bool wait = true;                           ///< false: the caller knows what they have done
    /// Go on although peers without an offer will not be reached until they have the new key.
    bool leave_behind = false;
    std::function<void(const std::string&)> tell{}; ///< what is waited for
    /// Called again and again while something is waited for, instead of sleeping so long. False:
    /// the step ends there, with the error that it would end with at the timeout.
    std::function<bool(std::chrono::milliseconds)> pause{};
    /// What went wrong without being a reason to stop.
    std::function<void(const Error&)> warn{};
};

/// The first step: keys are made and kept, the second device is brought up without peers and
/// routes. If it has been done already, the same offer again.
/// Errors: conflict (device and file disagree; the second name or port is taken), permission,
/// not_found, invalid, system.
WGKIT_API Result<Offer> prepare(const InterfaceFile& file, const config::Config& config,
                                const Options& options);

/// The offers of other ends become peers of the second device. Errors: not_found (not prepared, or
/// an offer of nobody we know), conflict (too late for new ones), invalid (no place to reach it).
WGKIT_API Result<void> accept(const std::string& interface, std::vector<Offer> offers,
                              const Options& options);

/// Routes of the peers lead to the second device, once each has shown that it listens there.
/// Errors: conflict (one has not; peers without an offer), not_found, system.
WGKIT_API Result<void> switch_over(const std::string& interface, const Options& options);

/// The interface and its file get the new keys, once nothing comes in on it any more.
/// Errors: conflict, not_found, permission, system.
WGKIT_API Result<void> rekey(const std::string& interface, const Options& options);

/// Routes lead to the interface again, once each peer has shown that it has the new keys.
WGKIT_API Result<void> give_back(const std::string& interface, const Options& options);

/// The second device goes, once nothing comes in on it any more, and the old keys with it.
/// Without a rotation there is nothing to do.
WGKIT_API Result<void> finish(const std::string& interface, const Options& options);

/// From here on the old keys are what is wanted: the steps from `switch_over` on lead back to them.
/// Changes nothing but the record. Errors: not_found.
WGKIT_API Result<void> abort(const std::string& interface, const Options& options);

/// These peers, by any of their keys, are no longer part of it: they leave the record and both
/// devices. Without a rotation there is nothing to do.
WGKIT_API Result<void> drop_peers(const std::string& interface, const std::vector<PublicKey>& keys,
                                  const Options& options);

/// The key that the interface will have once it is over. Errors: not_found.
WGKIT_API Result<PrivateKey> wanted_key(const std::string& interface, const Options& options);

/// To be called before an interface is made from its file: where a run was cut off between the
/// replacement of the file and that of the key file which it names, both get the wanted keys.
/// Without a rotation of this file there is nothing to do. Errors: invalid, permission, system.
WGKIT_API Result<void> settle_boot_files(const InterfaceFile& file, const Options& options);

/// All steps that are left, from `switch_over` on.
WGKIT_API Result<void> run(const std::string& interface, const Options& options);

/// Whether there is a record of a rotation. Errors: invalid, permission, system.
WGKIT_API Result<bool> is_under_way(const std::string& interface, const Options& options);

/// How far the rotation of one peer is.
struct PeerStatus {
    PublicKey current;
    PublicKey next;
    std::int64_t interface_handshake = 0; ///< since 1970, with the keys it has now; 0: never
    std::int64_t second_handshake = 0;
};

/// How far a rotation is.
struct Status {
    Phase phase = Phase::prepared;
    bool going_back = false; ///< after an abort
    std::string second;
    bool second_is_there = false;
    std::size_t routes = 0; ///< that lead to the second device
    PublicKey current;
    PublicKey next;
    std::vector<PeerStatus> peers;
    std::vector<PublicKey> left_behind; ///< peers of the interface that have made no offer
};

/// How far it is; nothing if no rotation is under way. Errors: permission, system.
WGKIT_API Result<std::optional<Status>> status(const std::string& interface,
                                               const Options& options);

} // namespace wgkit::rotate
