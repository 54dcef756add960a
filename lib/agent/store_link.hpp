#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "agent/follower.hpp"
#include "store/client.hpp"
#include "store/watch.hpp"

namespace wgkit::agent {

/// An agent's way to the store: reads everything once, then hears of changes; comes back by itself,
/// with jitter, when it was lost.
class StoreLink {
  public:
    /// `stop`: a descriptor that ends every wait once it is readable. `tell`: when the store goes
    /// and comes back; true: it is away.
    StoreLink(HttpPoster& requests, HttpPoster& watch, store::Layout layout, store::Access access,
              int stop, std::function<void(bool, const std::string&)> tell);

    /// Waits for changes, at most so long, and puts them into the follower. True if it was read
    /// anew.
    bool listen(Follower& follower, std::chrono::milliseconds timeout);
    bool is_connected() const { return is_connected_; }
    store::Client& client() { return client_; }
    /// Goes on as another user.
    void use(store::Access access);

    /// Written as soon as the store takes it; what comes later under the same key replaces it.
    void put(const std::string& key, std::string value) { outbox_[key] = std::move(value); }
    /// True if everything is written.
    bool flush();

  private:
    bool connect(Follower& follower);
    void lost(const std::string& why);
    void sleep(std::chrono::milliseconds time) const;

    store::Layout layout_;
    store::Client client_;
    store::Watch watch_;
    int stop_;
    std::function<void(bool, const std::string&)> tell_;
    bool is_connected_ = false;
    bool is_lost_ = false; ///< and somebody was told
    std::chrono::milliseconds pause_;
    std::chrono::steady_clock::time_point connected_at_;
    std::chrono::steady_clock::time_point retry_at_;
    std::map<std::string, std::string> outbox_;
};

} // namespace wgkit::agent
