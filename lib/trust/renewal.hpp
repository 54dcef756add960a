#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trust/documents.hpp"

/// New WireGuard keys. An operator asks nodes for them; each makes its own and says so, signed with
/// its agent key: that is all that a node may change of its record.
namespace wgkit::trust {

/// Object of a snapshot: whose keys are to change. Without renewals they are asked for; with them,
/// one of each who takes part, they are to be put in place.
struct Rotation {
    std::string id;      ///< 32 hexadecimal digits: a renewal for one rotation is none for another
    PublicKey enrolment; ///< X25519: shows possession of the new keys
    std::vector<std::string> rotating;    ///< get a new key
    std::vector<std::string> taking_part; ///< those, and the peers of theirs that run an agent
    bool leave_behind = false;            ///< some peers will not know the new keys
    std::vector<std::string> renewals;    ///< hashes of envelopes

    bool is_rotating(std::string_view node) const;
    bool takes_part(std::string_view node) const;
};

/// What one node offers to its peers; signed with its agent key. Interface and second device are
/// those of rotate.hpp.
struct Renewal {
    std::string network;
    std::string node;
    std::string rotation; ///< id
    PublicKey current;
    PublicKey next; ///< the same if the node's own key stays
    PublicKey second;
    std::uint32_t second_port = 0;
    std::string mac; ///< shows possession of `next`, base64
};

std::string to_json(const Rotation& rotation);
std::string to_json(const Renewal& renewal);
/// Errors: invalid, with the field that is wrong.
Result<Rotation> parse_rotation(std::string_view json);
Result<Renewal> parse_renewal(std::string_view json);

/// A renewal within its bounds: signed by the node, for this rotation, of the key that it has.
/// Errors: invalid (signature, malformed), conflict (another node, network, rotation or key).
Result<Renewal> check_renewal(std::string_view network, const Rotation& rotation,
                              const NodeRecord& node, std::string_view envelope);

/// All of them together: each who takes part once, no key twice, none that another node has or that
/// is revoked. `records`: of the whole fleet. Errors: conflict.
Result<void> check_renewals(const Rotation& rotation, const std::vector<NodeRecord>& records,
                            const std::vector<std::string>& revoked,
                            const std::vector<Renewal>& renewals);

/// As possession.hpp has it, of `renewal.next`, under the rotation's enrolment key.
Result<std::string> possession_mac(const Renewal& renewal, const Rotation& rotation,
                                   const PrivateKey& next_key);
bool shows_possession(const Renewal& renewal, const Rotation& rotation,
                      const PrivateKey& enrolment_key);

} // namespace wgkit::trust
