#pragma once

#include <cstdint>
#include <unordered_map>

#include "crypto/noise.hpp"

namespace wgkit::engine {

class Peer;
struct Session;

/// What an index that we gave out stands for.
struct IndexEntry {
    Peer* peer = nullptr;
    Session* session = nullptr; ///< none: a handshake that waits for its response
};

/// The indices by which messages name our sessions and handshakes: random, so that an observer
/// cannot link sessions (WireGuard paper, section 5.4).
class IndexTable {
  public:
    std::uint32_t add(Peer& peer) {
        for (;;) {
            std::uint32_t index = 0;
            crypto::random_bytes({reinterpret_cast<std::uint8_t*>(&index), sizeof index});
            if (entries_.try_emplace(index, IndexEntry{&peer, nullptr}).second) return index;
        }
    }
    void set_session(std::uint32_t index, Session& session) {
        entries_.at(index).session = &session;
    }
    void remove(std::uint32_t index) { entries_.erase(index); }

    IndexEntry find(std::uint32_t index) const {
        const auto found = entries_.find(index);
        return found == entries_.end() ? IndexEntry{} : found->second;
    }
    std::size_t size() const { return entries_.size(); }

  private:
    std::unordered_map<std::uint32_t, IndexEntry> entries_;
};

} // namespace wgkit::engine
