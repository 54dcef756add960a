#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/address.hpp"
#include "trust/verify.hpp"

namespace wgkit::agent {

/// What an operator keeps of a fleet with a store: settings, keys, and how far he has come, so that
/// the store cannot lead him back. A folder, usually `store` beside nodes.yaml; its keys are
/// secret.
struct Home {
    std::string folder;
    std::string network;
    std::string root_hash;
    std::string url; ///< as the operator wrote it
    store::Access access;

    std::string key_path() const { return folder + "/operator.key"; }
    std::string recovery_path() const { return folder + "/recovery.key"; }
    std::string enrolment_path(const std::string& key_id) const {
        return folder + "/enrolment/" + key_id + ".key";
    }
};

/// The end of the log as it is known, and the last snapshot.
struct Pin {
    trust::Position position;
    std::uint64_t audit_number = 0;
    std::string audit_hash;
};

/// Errors: not_found (no store was set up), permission, invalid.
Result<Home> load_home(const std::string& folder);
/// The password in a file of its own.
Result<void> save_home(const Home& home);
Result<Pin> load_pin(const Home& home);
Result<void> save_pin(const Home& home, const Pin& pin);
/// Errors: permission (open to others), not_found, invalid.
Result<trust::SigningKey> load_signing_key(const std::string& path);

} // namespace wgkit::agent
