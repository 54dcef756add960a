#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/address.hpp"
#include "wgkit/http.hpp"
#include "wgkit/result.hpp"

/// etcd 3.4 and later, by its JSON gateway. Keys and values are bytes. Source: etcd's API
/// reference for version 3; the gateway has bytes in base64 and 64-bit numbers as text.
namespace wgkit::store {

struct KeyValue {
    std::string key;
    std::string value;
    std::int64_t create_revision = 0;
    std::int64_t mod_revision = 0;
};

/// What was read, all at one revision of the store.
struct Snapshot {
    std::vector<KeyValue> entries;
    std::int64_t revision = 0;

    const KeyValue* find(std::string_view key) const;
};

/// All of it or nothing, if the conditions hold.
struct Transaction {
    std::vector<std::pair<std::string, std::int64_t>> unchanged; ///< key, mod_revision; 0: absent
    std::vector<std::pair<std::string, std::string>> puts;
    std::vector<std::string> removals;
};

/// How a transaction ended.
struct Commit {
    bool done = false; ///< false: a condition did not hold
    std::int64_t revision = 0;
};

/// etcd takes this many operations in one transaction unless told otherwise.
inline constexpr std::size_t max_operations = 100;

class Client {
  public:
    /// The poster must have nothing else under way and outlive the client.
    Client(HttpPoster& poster, Access access);

    Result<Snapshot> get(std::string_view key);
    /// All keys that begin with one of these, read at one revision, sorted by creation.
    Result<Snapshot> get_prefixes(const std::vector<std::string>& prefixes);
    /// Errors: system, also if it is unknown whether it was done: then read again.
    Result<Commit> commit(const Transaction& transaction);
    /// Any other call: users, roles. Errors: permission, not_found, exists, system.
    Result<std::string> call(std::string_view path, const std::string& json);

    /// The headers that a request needs now; logs in if it must. Errors: permission, system.
    Result<std::vector<std::pair<std::string, SecretString>>> headers();
    const Access& access() const { return access_; }
    const std::string& member() const { return access_.members[member_]; }
    void next_member() { member_ = (member_ + 1) % access_.members.size(); }
    /// Begins with a member by chance.
    void start_anywhere();
    void forget_login() { token_.clear(); }
    /// Goes on as another user.
    void use(Access access) {
        access_ = std::move(access);
        start_anywhere();
        forget_login();
    }

    /// One request and its whole answer take at most so long, at each member.
    std::chrono::milliseconds timeout{5000};

  private:
    HttpAnswer post(std::string_view path, const std::string& json, bool with_token);
    Result<void> log_in();

    HttpPoster& poster_;
    Access access_;
    std::size_t member_ = 0;
    SecretString token_;
};

} // namespace wgkit::store
