#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "agent/compose.hpp"
#include "agent/identity.hpp"
#include "agent/machine.hpp"
#include "trust/verify.hpp"

namespace wgkit::agent {

/// A node's part in a rotation of keys, by rotate.hpp. From its beginning until a state comes
/// without it, the interface is nobody else's: it is made from a file of its own, and the only
/// changes are those of the rotation, and the end of peers that are revoked. All that there is to
/// know is on the disk, so that it goes on after a kill or a reboot.
class NodeRotation {
  public:
    struct Context {
        const std::string& folder; ///< of the agent
        const Identity& identity;
        NodeKeys& keys; ///< the new key is put here, and into its file
        Machine& machine;
        std::function<bool(std::chrono::milliseconds)> pause; ///< as rotate::Options::pause
        std::function<void(const std::string&)> tell;
        std::function<void(const Error&)> warn;
    };
    explicit NodeRotation(Context context) : context_(std::move(context)) {}

    /// What the disk says of one. After a reboot the interface is made again.
    Result<void> restore();
    bool is_under_way() const { return !id_.empty(); }
    /// The id of the rotation that this node has done, for its status.
    std::string done() const { return is_done_ ? id_ : std::string(); }
    /// Whether a state asks this node to take part.
    bool is_wanted(const trust::State& state) const;

    /// Whether it can begin from here: `own` is what the interface is now.
    Result<void> begin(const trust::State& state, const OwnConfig& own);
    /// The envelope that the operator waits for; empty: nothing is asked for.
    Result<std::string> renewal(const trust::State& state) const;
    /// Does what the state allows now. True if the rotation is over, or was withdrawn and undone:
    /// then the interface is to be made what the state says. Errors: also if `pause` said so.
    Result<bool> advance(const trust::State& state);
    /// Takes peers away whose keys are revoked; all, if this node's own are.
    Result<void> drop_revoked(const trust::State& state);

  private:
    std::string folder() const { return context_.folder + "/rotation"; }
    std::string note_path() const { return folder() + "/rotation.json"; }
    std::string boot_path() const { return folder() + "/" + interface_ + ".conf"; }
    Result<void> save_note() const;
    Result<void> forget();
    Result<void> go_back();
    Result<void> put_in_place(const trust::State& state);
    Result<void> adopt_key();
    bool is_offer_for_us(const config::Config& config, const trust::Renewal& renewal,
                         const trust::Rotation& rotation) const;

    Context context_;
    std::string id_; ///< empty: none is under way
    std::string interface_;
    bool keeps_key_ = false;
    bool is_done_ = false;
};

} // namespace wgkit::agent
