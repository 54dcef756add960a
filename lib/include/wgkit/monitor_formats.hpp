#pragma once

#include <string>
#include <vector>

#include "wgkit/monitor.hpp"

/// What a run found, for people and for other programs. Pure: state in, text out.
namespace wgkit::monitor {

/// A peer with what is needed to tell of it.
struct Row {
    const DeviceState* device;
    const PeerState* peer;
    Rule rule;
    milliseconds t; ///< now, in the monitor's time

    /// The peer's name, else its public key.
    WGKIT_API std::string name() const;
    /// The interface, behind its network namespace if that is another one.
    WGKIT_API std::string device_name() const;
    /// Since the last handshake; nothing if there was none.
    WGKIT_API std::optional<seconds> age() const;
};

/// The peers of the last run, in the order of their devices. They point into `state`.
WGKIT_API std::vector<Row> rows_of(const State& state);
/// Critical before unknown before warning, as the Monitoring Plugins have it.
WGKIT_API Level worst_of(const std::vector<Row>& rows);
/// Orders levels that way.
WGKIT_API Level worse(Level a, Level b);

/// A line for each peer in trouble; nothing if all is well.
WGKIT_API std::string trouble_text(const std::vector<Row>& rows);
/// How a table looks.
struct TableStyle {
    bool colour = false;
    bool rates = false; ///< bytes per second between the last two looks instead of sums
};
/// A line for each peer.
WGKIT_API std::string table_text(const std::vector<Row>& rows, const TableStyle& style);
/// The samples and the rule that decided.
WGKIT_API std::string explain_text(const Row& row, const State& state);

/// One JSON object, indented; schema 1.
WGKIT_API std::string to_json(const std::vector<Row>& rows, const State& state);
/// One JSON object a line for each peer.
WGKIT_API std::string to_jsonl(const std::vector<Row>& rows, const State& state);
/// Output of a plugin for Nagios and Icinga, with performance data.
WGKIT_API std::string to_nagios(const std::vector<Row>& rows,
                                const std::vector<std::string>& problems);

/// Whose names metrics have.
enum class Dialect : std::uint8_t { own, mindflavor, mdlayher };
/// Whose metrics, and in which format.
struct MetricsOptions {
    Dialect dialect = Dialect::own;
    bool open_metrics = false; ///< with units and the final # EOF
};
/// Prometheus text exposition.
WGKIT_API std::string to_prometheus(const std::vector<Row>& rows, const State& state,
                                    const MetricsOptions& options);
/// The same, piece by piece.
WGKIT_API void write_prometheus(const std::vector<Row>& rows, const State& state,
                                const MetricsOptions& options, const files::Sink& to);

/// An event for every peer, well or not, and one for the monitor itself, as wgkit-alert(1) reads
/// them: JSON, one a line. `problems`: what could not be seen.
WGKIT_API std::string to_alert_events(const std::vector<Row>& rows, const State& state,
                                      const std::vector<std::string>& problems);

} // namespace wgkit::monitor
