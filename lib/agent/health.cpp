#include "agent/health.hpp"

#include <algorithm>

namespace wgkit::agent {

namespace {

constexpr std::chrono::milliseconds look_time{300};

/// The tunnel address of each peer: the first of its allowed IPs that is a single one.
std::map<PublicKey, IpAddress> addresses_of(const config::Config& config) {
    std::map<PublicKey, IpAddress> out;
    for (const auto& peer : config.peers)
        for (const auto& allowed : peer.allowed_ips)
            if (allowed.prefix.length == allowed.prefix.address.bits())
                out.emplace(peer.public_key, allowed.prefix.address);
    return out;
}

/// Takes away those that answer.
void ask(Machine& machine, std::map<PublicKey, IpAddress>& silent) {
    std::vector<IpAddress> addresses;
    for (const auto& [key, address] : silent) addresses.push_back(address);
    const auto answers = machine.echo(addresses, look_time);
    std::size_t i = 0;
    std::erase_if(silent, [&](const auto&) { return answers.at(i++); });
}

} // namespace

void Health::look(Machine& machine, const config::Config& before) {
    answering_ = addresses_of(before);
    auto silent = answering_;
    ask(machine, silent);
    std::erase_if(answering_, [&](const auto& one) { return silent.contains(one.first); });
}

std::vector<PublicKey> Health::missing(Machine& machine, const config::Config& after,
                                       std::chrono::milliseconds patience,
                                       const std::function<bool()>& go_on) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    auto silent = addresses_of(after);
    std::erase_if(silent, [&](const auto& one) { return !answering_.contains(one.first); });
    while (true) {
        if (!silent.empty()) ask(machine, silent);
        if (silent.empty() || !go_on()) return {};
        if (std::chrono::steady_clock::now() >= end) break;
    }
    std::vector<PublicKey> out;
    for (const auto& [key, address] : silent) out.push_back(key);
    return out;
}

} // namespace wgkit::agent
