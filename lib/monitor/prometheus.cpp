#include <fmt/format.h>

#include "monitor/exposition.hpp"
#include "wgkit/monitor_formats.hpp"

// Names as the exposition formats' guidelines have them: base units, _total for counters, the time
// of a handshake instead of its age, and no value instead of 0 for what never was.

namespace wgkit::monitor {

namespace {

std::int64_t epoch(const State& state, milliseconds t) {
    return std::chrono::duration_cast<seconds>(wall_of(state, t)).count();
}

/// Labels of a peer in our own names, without the closing brace.
std::string own_labels(const Row& row) {
    const std::string key = to_string(row.peer->key);
    std::string labels = fmt::format("{{interface=\"{}\",public_key=\"{}\",peer=\"{}\"",
                                     escaped(row.device->interface), key,
                                     row.peer->name.empty() ? key : escaped(row.peer->name));
    if (!row.device->netns.empty())
        labels += fmt::format(",netns=\"{}\"", escaped(row.device->netns));
    return labels;
}

/// A family with one sample for each peer for which there is a value.
template <class Value>
void each(Exposition& to, const std::vector<Row>& rows, const std::vector<std::string>& labels,
          Value&& value) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (const auto number = value(rows[i])) to.sample({labels[i], "}"}, *number);
}

std::optional<std::uint64_t> received(const Row& row) { return row.peer->looks.back().rx; }
std::optional<std::uint64_t> sent(const Row& row) { return row.peer->looks.back().tx; }

void add_own(Exposition& to, const std::vector<Row>& rows, const State& state) {
    std::vector<std::string> labels;
    labels.reserve(rows.size());
    for (const auto& row : rows) labels.push_back(own_labels(row));
    to.family("wgkit_peer_last_handshake_timestamp_seconds", "gauge",
              "When the last handshake was completed; no value if none ever was.");
    each(to, rows, labels, [&](const Row& row) -> std::optional<std::int64_t> {
        if (row.peer->handshake_at == milliseconds{}) return std::nullopt;
        return epoch(state, row.peer->handshake_at);
    });
    to.family("wgkit_peer_receive_bytes_total", "counter", "Bytes received from the peer.");
    each(to, rows, labels, received);
    to.family("wgkit_peer_transmit_bytes_total", "counter", "Bytes sent to the peer.");
    each(to, rows, labels, sent);
    to.family("wgkit_peer_persistent_keepalive_seconds", "gauge",
              "Interval of keepalives that this side sends; no value if it sends none.");
    each(to, rows, labels, [](const Row& row) -> std::optional<unsigned> {
        if (row.peer->keepalive == 0) return std::nullopt;
        return row.peer->keepalive;
    });
    to.family("wgkit_peer_level", "gauge", "0 if all is well, 1 for a warning, 2 if critical.");
    each(to, rows, labels,
         [](const Row& row) { return std::optional(static_cast<unsigned>(row.peer->level)); });
    to.family(
        "wgkit_peer_state", "gauge",
        "1 for the state that the peer is in, see wgkit-monitor(1); other states are absent.");
    for (std::size_t i = 0; i < rows.size(); ++i)
        to.sample({labels[i], ",state=\"", to_string(rows[i].peer->verdict), "\"}"}, 1);
    to.family("wgkit_peer_info", "info", "Where the peer is and what is routed to it.");
    for (std::size_t i = 0; i < rows.size(); ++i)
        to.sample({labels[i], ",endpoint=\"", escaped(rows[i].peer->endpoint), "\",allowed_ips=\"",
                   escaped(rows[i].peer->allowed_ips), "\"}"},
                  1);
    to.family("wgkit_interface_peers", "gauge", "Peers of a device.");
    for (const auto& device : state.devices) {
        std::size_t count = 0;
        for (const auto& peer : device.peers) count += is_present(state, peer) ? 1 : 0;
        if (count == 0) continue;
        to.sample(device.netns.empty()
                      ? fmt::format("{{interface=\"{}\"}}", escaped(device.interface))
                      : fmt::format("{{interface=\"{}\",netns=\"{}\"}}", escaped(device.interface),
                                    escaped(device.netns)),
                  count);
    }
    to.family("wgkit_monitor_last_run_timestamp_seconds", "gauge", "When peers were last judged.");
    to.sample("", epoch(state, state.t));
    to.family("wgkit_monitor_success", "gauge", "1 if every device could be read.");
    to.sample("", state.problems == 0 ? 1 : 0);
    if (state.succeeded == milliseconds{}) return;
    to.family("wgkit_monitor_last_success_timestamp_seconds", "gauge",
              "When every device could be read.");
    to.sample("", epoch(state, state.succeeded));
}

void add_mindflavor(Exposition& to, const std::vector<Row>& rows, const State& state) {
    std::vector<std::string> labels;
    for (const auto& row : rows) {
        std::string text = fmt::format("{{interface=\"{}\",public_key=\"{}\",allowed_ips=\"{}\"",
                                       escaped(row.device->interface), to_string(row.peer->key),
                                       escaped(row.peer->allowed_ips));
        if (!row.peer->name.empty())
            text += fmt::format(",friendly_name=\"{}\"", escaped(row.peer->name));
        labels.push_back(text);
    }
    to.family("wireguard_sent_bytes_total", "counter", "Bytes sent to the peer.");
    each(to, rows, labels, sent);
    to.family("wireguard_received_bytes_total", "counter", "Bytes received from the peer.");
    each(to, rows, labels, received);
    to.family("wireguard_latest_handshake_seconds", "gauge",
              "UNIX timestamp of the last handshake, 0 for none.");
    each(to, rows, labels, [&](const Row& row) {
        return std::optional(row.peer->handshake_at == milliseconds{}
                                 ? std::int64_t{0}
                                 : epoch(state, row.peer->handshake_at));
    });
}

void add_mdlayher(Exposition& to, const std::vector<Row>& rows, const State& state) {
    std::vector<std::string> labels;
    for (const auto& row : rows)
        labels.push_back(fmt::format("{{device=\"{}\",public_key=\"{}\"",
                                     escaped(row.device->interface), to_string(row.peer->key)));
    to.family("wireguard_device_info", "info", "The device and its public key.");
    for (const auto& device : state.devices)
        if (device.public_key)
            to.sample(fmt::format("{{device=\"{}\",public_key=\"{}\"}}", escaped(device.interface),
                                  to_string(*device.public_key)),
                      1);
    to.family("wireguard_peer_info", "info", "The peer's public key and what else is known of it.");
    for (const auto& row : rows)
        to.sample(fmt::format("{{allowed_ips=\"{}\",device=\"{}\",endpoint=\"{}\",name=\"{}\","
                              "public_key=\"{}\"}}",
                              escaped(row.peer->allowed_ips), escaped(row.device->interface),
                              escaped(row.peer->endpoint), escaped(row.peer->name),
                              to_string(row.peer->key)),
                  1);
    to.family("wireguard_peer_receive_bytes_total", "counter", "Bytes received from the peer.");
    each(to, rows, labels, received);
    to.family("wireguard_peer_transmit_bytes_total", "counter", "Bytes sent to the peer.");
    each(to, rows, labels, sent);
    to.family("wireguard_peer_last_handshake_seconds", "gauge",
              "UNIX timestamp of the last handshake, 0 for none.");
    each(to, rows, labels, [&](const Row& row) {
        return std::optional(row.peer->handshake_at == milliseconds{}
                                 ? std::int64_t{0}
                                 : epoch(state, row.peer->handshake_at));
    });
}

} // namespace

void write_prometheus(const std::vector<Row>& rows, const State& state,
                      const MetricsOptions& options, const files::Sink& sink) {
    Exposition to(sink, options.open_metrics);
    switch (options.dialect) {
    case Dialect::own:
        add_own(to, rows, state);
        break;
    case Dialect::mindflavor:
        add_mindflavor(to, rows, state);
        break;
    case Dialect::mdlayher:
        add_mdlayher(to, rows, state);
        break;
    }
    to.end();
}

std::string to_prometheus(const std::vector<Row>& rows, const State& state,
                          const MetricsOptions& options) {
    std::string text;
    write_prometheus(rows, state, options, [&](std::string_view piece) { text += piece; });
    return text;
}

} // namespace wgkit::monitor
