// `wgkit fleet status`: how every node is.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "commands.hpp"
#include "common/json.hpp"
#include "fleet/record.hpp"
#include "fleet/survey.hpp"

namespace wgkit::tool::fleet {

namespace {

struct StatusOptions {
    FleetOptions fleet;
    std::vector<std::string> only;
};

/// A session ends so long after its handshake (Reject-After-Time, section 6.1 of the paper).
constexpr std::int64_t session_seconds = 180;
/// Clocks that differ by more make handshakes fail after a restart, and logs hard to read.
constexpr std::int64_t most_skew = 5;

struct StatusRow {
    std::string node;
    std::string state; ///< "ok", "changes", "down", "unreachable", "refused", "no-wgkit", "failed"
    std::string version;
    std::size_t changes = 0;
    std::size_t peers = 0;
    std::size_t alive = 0;
    std::optional<std::int64_t> seen; ///< Units: seconds since any peer last heard it
    std::int64_t skew = 0;            ///< Units: seconds
    std::vector<std::string> pending;
    std::string why;
};

const char* word(Trouble trouble) {
    switch (trouble) {
    case Trouble::none:
        return "ok";
    case Trouble::unreachable:
        return "unreachable";
    case Trouble::refused:
        return "refused";
    case Trouble::no_wgkit:
        return "no-wgkit";
    case Trouble::failed:
        return "failed";
    }
    return "";
}

/// How long ago any other node heard it, each by its own clock, in the newest handshake with one of
/// its keys.
std::optional<std::int64_t> last_seen(const std::string& name, const wgkit::mesh::Fleet& fleet,
                                      const std::vector<Surveyed>& nodes) {
    std::optional<std::int64_t> seen;
    for (const auto& network : fleet.lock.networks) {
        const auto* locked = network.find(name);
        if (locked == nullptr || !locked->key) continue;
        for (const auto& other : nodes)
            for (const auto& one : other.reply.answer.interfaces)
                for (const auto& peer : one.peers) {
                    if (peer.key != *locked->key || peer.handshake == 0) continue;
                    const auto ago =
                        std::max<std::int64_t>(0, other.reply.answer.now - peer.handshake);
                    seen = std::min(seen.value_or(ago), ago);
                }
    }
    return seen;
}

StatusRow row_of(const Surveyed& node, const wgkit::mesh::Fleet& fleet,
                 const std::vector<Surveyed>& all) {
    StatusRow row;
    row.node = node.target.name;
    row.state = word(node.reply.trouble);
    row.seen = last_seen(row.node, fleet, all);
    const auto& answer = node.reply.answer;
    row.version = answer.version;
    if (!node.reply.is_good()) {
        row.why = node.reply.error.message;
        return row;
    }
    row.changes = node.changes();
    row.skew = node.reply.clock_skew;
    bool is_up = true;
    for (const auto& one : answer.interfaces) {
        is_up = is_up && one.is_up;
        row.peers += one.peers.size();
        for (const auto& peer : one.peers)
            if (peer.handshake != 0 && answer.now - peer.handshake <= session_seconds) ++row.alive;
        if (one.pending) row.pending.push_back("confirm " + one.name);
    }
    row.state = !is_up ? "down" : row.changes != 0 ? "changes" : "ok";
    return row;
}

/// What a node has still to get, as the operator's side remembers it.
void add_pending(const Record& record, StatusRow& row) {
    const auto is_in = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), row.node) != names.end();
    };
    if (const auto found = record.pending.find(row.node); found != record.pending.end())
        row.pending.push_back(found->second);
    for (const auto& revocation : record.revocations)
        if (is_in(revocation.pending)) row.pending.push_back("revoke " + revocation.node);
    if (is_in(record.rotating) || is_in(record.to_rotate)) row.pending.emplace_back("rotate");
}

std::string age(std::optional<std::int64_t> seconds) {
    if (!seconds) return "-";
    if (*seconds < 120) return fmt::format("{}s", *seconds);
    if (*seconds < 7200) return fmt::format("{}m", *seconds / 60);
    if (*seconds < 172800) return fmt::format("{}h", *seconds / 3600);
    return fmt::format("{}d", *seconds / 86400);
}

void print_rows(const std::vector<StatusRow>& rows) {
    std::size_t width = 4;
    for (const auto& row : rows) width = std::max(width, row.node.size());
    const bool colour = wants_colour(STDOUT_FILENO);
    fmt::print("{:<{}}  {:<11}  {:<9}  {:>7}  {:>9}  {:>5}  {}\n", "NODE", width, "STATE",
               "VERSION", "CHANGES", "PEERS", "SEEN", "PENDING");
    for (const auto& row : rows) {
        const char* shade = row.state == "ok" ? "32" : row.state == "changes" ? "33" : "31";
        const auto state = fmt::format("{:<11}", row.state);
        fmt::print("{:<{}}  {}  {:<9}  {:>7}  {:>9}  {:>5}  {}\n", row.node, width,
                   colour ? fmt::format("\033[{}m{}\033[0m", shade, state) : state,
                   row.version.empty() ? "-" : row.version, row.changes,
                   fmt::format("{}/{}", row.alive, row.peers), age(row.seen),
                   row.pending.empty() ? "-" : fmt::format("{}", row.pending.front()));
    }
}

Json to_json(const StatusRow& row) {
    return {{"node", row.node},
            {"state", row.state},
            {"version", row.version},
            {"changes", row.changes},
            {"peers", row.peers},
            {"alive", row.alive},
            {"seen", row.seen ? Json(*row.seen) : Json()},
            {"clockSkew", row.skew},
            {"pending", row.pending},
            {"why", row.why}};
}

int run_status(const StatusOptions& options, const Report& report) {
    auto fleet = load_fleet(options.fleet.nodes, report);
    if (!fleet) return exit_failed;
    Transport transport{std::chrono::seconds(options.fleet.connect_timeout)};
    const auto nodes = survey(*fleet, transport, options.fleet, options.only, true);
    if (!nodes) return report.error(nodes.error());
    const auto record = Record::open(options.fleet.nodes);
    if (!record) return report.error(record.error());
    std::vector<StatusRow> rows;
    for (const auto& node : *nodes) {
        rows.push_back(row_of(node, *fleet, *nodes));
        add_pending(*record, rows.back());
    }
    int status = exit_ok;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& reply = (*nodes)[i].reply;
        if (!reply.is_good())
            status = report.error(reply.error);
        else if (status == exit_ok && (rows[i].state != "ok" || !rows[i].pending.empty()))
            status = exit_differences;
        if (rows[i].skew > most_skew || rows[i].skew < -most_skew)
            report.warning(
                fmt::format("{}: its clock is {} seconds {}", rows[i].node, std::abs(rows[i].skew),
                            rows[i].skew > 0 ? "ahead" : "behind"),
                "peers refuse handshakes of a clock that was set back; have NTP keep it");
        for (const auto& text : reply.answer.warnings)
            report.warning(fmt::format("{}: {}", rows[i].node, text));
    }
    if (options.fleet.json) {
        Json list = Json::array();
        for (const auto& row : rows) list.push_back(to_json(row));
        print(Json{{"schema", 1}, {"nodes", list}});
    } else {
        print_rows(rows);
    }
    return status;
}

} // namespace

Action setup_status(Arguments arguments) {
    auto options = std::make_shared<StatusOptions>();
    arguments.add_option("NODE", options->only, "Only these nodes").type_name("");
    add_fleet_options(arguments, options->fleet);
    return [options](const Report& report) { return run_status(*options, report); };
}

} // namespace wgkit::tool::fleet
