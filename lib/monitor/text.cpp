#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "monitor/table.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

namespace {

std::string full_name(const Row& row) {
    return row.peer->name.empty()
               ? to_string(row.peer->key)
               : fmt::format("{} ({})", printable(row.peer->name), to_string(row.peer->key));
}

std::string bytes_text(double bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    return unit == 0 ? fmt::format("{:.0f} B", bytes)
                     : fmt::format("{:.1f} {}", bytes, units.at(unit));
}

std::string transfer_text(const PeerState& peer, bool received, bool rate) {
    const auto value = [&](const Look& look) {
        return static_cast<double>(received ? look.rx : look.tx);
    };
    const auto& looks = peer.looks;
    if (!rate) return bytes_text(value(looks.back()));
    if (looks.size() < 2) return "-";
    const Look &a = looks[looks.size() - 2], &b = looks.back();
    const double passed = std::max(0.001, std::chrono::duration<double>(b.t - a.t).count());
    return bytes_text((value(b) - value(a)) / passed) + "/s";
}

} // namespace

std::string trouble_text(const std::vector<Row>& rows) {
    std::string text;
    for (const auto& row : rows) {
        if (row.peer->level == Level::ok) continue;
        text += fmt::format("{}: peer {} on {} is {}: {}\n",
                            row.peer->level == Level::critical ? "ALERT" : "WARNING",
                            full_name(row), row.device_name(), to_string(row.peer->verdict),
                            reason(*row.peer, row.t, row.rule));
    }
    return text;
}

std::string table_text(const std::vector<Row>& rows, const TableStyle& style) {
    Table table{{"STATE", "PEER", "DEVICE", "HANDSHAKE", "RECEIVED", "SENT", "SINCE", "WHY"}};
    for (const auto& row : rows) {
        const PeerState& peer = *row.peer;
        const auto age = row.age();
        table.push_back({std::string(to_string(peer.verdict)), printable(row.name()),
                         row.device_name(), age ? span_text(*age) : "-",
                         transfer_text(peer, true, style.rates),
                         transfer_text(peer, false, style.rates),
                         span_text(std::chrono::duration_cast<seconds>(row.t - peer.since)),
                         reason(peer, row.t, row.rule)});
    }
    return aligned(table, [&](std::size_t line) {
        const PeerState& peer = *rows[line].peer;
        return style.colour ? colour_of(peer.level, peer.verdict == Verdict::up) : "";
    });
}

std::string explain_text(const Row& row, const State& state) {
    const PeerState& peer = *row.peer;
    const auto yes_no = [](bool value) { return value ? "yes" : "no"; };
    std::string text =
        fmt::format("peer       {}\ndevice     {}\n", full_name(row), row.device_name());
    text +=
        fmt::format("state      {} ({}) for {}\n", to_string(peer.verdict), to_string(peer.level),
                    span_text(std::chrono::duration_cast<seconds>(row.t - peer.since)));
    text += fmt::format("why        {}\nrule       {}\n", reason(peer, row.t, row.rule),
                        to_string(peer.cause));
    text += fmt::format("expected   {} ({})\n", is_expected_up(peer, row.rule) ? "up" : "roaming",
                        to_string(row.rule.expect));
    text += fmt::format("limit      {} s{}\n", stale_limit(row.rule, peer).count(),
                        row.rule.strict ? ", strict" : "");
    text += peer.keepalive == 0 ? std::string("keepalive  off")
                                : fmt::format("keepalive  every {} s", peer.keepalive);
    if (const auto interval = peer.cadence.interval())
        text += fmt::format(", the peer's every {} s",
                            std::chrono::duration_cast<seconds>(*interval).count());
    text += fmt::format("\nengine     {}\n", peer.elapsed     ? "tells elapsed seconds"
                                             : peer.uncounted ? "does not count handshakes"
                                                              : "as the kernel");
    text += fmt::format("silence    {} s, {} initiations, data asked: {}, unconfirmed: {}\n",
                        std::chrono::duration_cast<seconds>(row.t - peer.silence.since).count(),
                        peer.silence.initiations, yes_no(peer.silence.asked != milliseconds{}),
                        peer.silence.unconfirmed);
    text += fmt::format("probe      {}\n", !row.rule.probe             ? "off"
                                           : peer.probe == Probe::none ? "not asked"
                                                                       : to_string(peer.probe));
    text += "samples    seconds ago   handshake        received            sent\n";
    for (std::size_t i = 0; i < peer.looks.size(); ++i) {
        const Look& look = peer.looks[i];
        text += fmt::format("         {:>13.0f} {:>11} {:>15} {:>15}\n",
                            std::chrono::duration<double>(state.t - look.t).count(), look.handshake,
                            look.rx, look.tx);
        if (i == 0) continue;
        const Look& before = peer.looks[i - 1];
        text += fmt::format("         {:>13} {:>11} {:>+15} {:>+15}\n", "",
                            look.handshake == before.handshake ? "" : "new",
                            static_cast<std::int64_t>(look.rx - before.rx),
                            static_cast<std::int64_t>(look.tx - before.tx));
    }
    return text;
}

} // namespace wgkit::monitor
