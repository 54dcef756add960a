#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "monitor/limits.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

namespace {

/// Text that a terminal takes as text, whatever a name holds.
std::string printable(std::string_view text) {
    std::string safe(text);
    for (char& c : safe)
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    return safe;
}

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

std::string span_text(seconds time) {
    const std::int64_t count = time.count();
    constexpr std::int64_t hour = 3600, day = 24 * hour;
    if (count < 600) return fmt::format("{} s", count);
    if (count < 2 * hour) return fmt::format("{} min", count / 60);
    if (count < 2 * day) return fmt::format("{} h", count / hour);
    return fmt::format("{} d", count / day);
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

const char* colour_of(Level level, Verdict verdict) {
    if (level == Level::critical) return "31";
    if (level == Level::warning) return "33";
    return verdict == Verdict::up ? "32" : "2";
}

using Cells = std::vector<std::string>;

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
    std::vector<Cells> table{
        {"STATE", "PEER", "DEVICE", "HANDSHAKE", "RECEIVED", "SENT", "SINCE", "WHY"}};
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
    std::vector<std::size_t> widths(table.front().size());
    for (const auto& cells : table)
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = std::max(widths[i], cells[i].size());
    std::string text;
    for (std::size_t line = 0; line < table.size(); ++line) {
        for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
            const std::string cell = fmt::format("{:<{}}", table[line][i], widths[i]);
            const bool is_state = i == 0 && line > 0 && style.colour;
            text += is_state ? fmt::format(
                        "\033[{}m{}\033[0m",
                        colour_of(rows[line - 1].peer->level, rows[line - 1].peer->verdict), cell)
                             : cell;
            text += "  ";
        }
        text += table[line].back() + "\n";
    }
    return text;
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
