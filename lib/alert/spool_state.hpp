#pragma once

#include <string>

#include "alert/database.hpp"
#include "wgkit/alert.hpp"

namespace wgkit {

struct AlertSpool::State {
    std::string folder;
    alert::Database database;
    std::string problem;
};

namespace alert {

/// Times as the database has them: seconds since 1970.
inline std::int64_t number(AlertTime time) { return time.time_since_epoch().count(); }
inline AlertTime time_of(std::int64_t seconds) { return AlertTime(std::chrono::seconds(seconds)); }

/// Where messages of a target go: one for each of its URLs, "name", then "name#2".
std::string destination(const AlertTarget& target, std::size_t url);

/// Messages of the spool above `max_messages` or older than `max_age` are removed, the least severe
/// and oldest first; returns how many. Those under way stay.
Result<std::size_t> drop_excess(Database& database, const AlertConfig& config, AlertTime now);

} // namespace alert
} // namespace wgkit
