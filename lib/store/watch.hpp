#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/client.hpp"

namespace wgkit::store {

struct WatchEvent {
    KeyValue entry; ///< of a removal only the key and the revision
    bool removed = false;
};

/// What a look at a watch found.
struct WatchNews {
    std::vector<WatchEvent> events;
    bool is_connected = false;
    bool compacted = false; ///< what was asked for is gone from the store: read everything again
    std::string error;      ///< why the connection ended; empty: it did not
};

/// Changes of all keys with some prefixes, as they happen, by one request whose answer does not
/// end.
class Watch {
  public:
    /// `poster`: for this alone.
    Watch(HttpPoster& poster, Client& client);
    ~Watch();

    /// Begins at a revision of the store, with the client's present member.
    Result<void> start(const std::vector<std::string>& prefixes, std::int64_t from);
    /// Waits until something is there, or so long.
    WatchNews wait(std::chrono::milliseconds timeout);
    void stop();

  private:
    struct Stream;
    HttpPoster& poster_;
    Client& client_;
    std::shared_ptr<Stream> stream_;
};

} // namespace wgkit::store
