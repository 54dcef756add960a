#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

std::string Row::name() const { return peer->name.empty() ? to_string(peer->key) : peer->name; }

std::string Row::device_name() const {
    return device->netns.empty() ? device->interface : device->netns + "/" + device->interface;
}

std::optional<seconds> Row::age() const {
    if (peer->handshake_at == milliseconds{}) return std::nullopt;
    return std::chrono::duration_cast<seconds>(t - peer->handshake_at);
}

std::vector<Row> rows_of(const State& state) {
    std::vector<Row> rows;
    for (const auto& device : state.devices)
        for (const auto& peer : device.peers) {
            if (is_present(state, peer)) rows.push_back({&device, &peer, peer.rule, state.t});
        }
    return rows;
}

Level worse(Level a, Level b) {
    const auto rank = [](Level level) {
        switch (level) {
        case Level::ok:
            return 0;
        case Level::warning:
            return 1;
        case Level::unknown:
            return 2;
        case Level::critical:
            break;
        }
        return 3;
    };
    return rank(a) < rank(b) ? b : a;
}

Level worst_of(const std::vector<Row>& rows) {
    Level worst = Level::ok;
    for (const auto& row : rows) worst = worse(worst, row.peer->level);
    return worst;
}

} // namespace wgkit::monitor
