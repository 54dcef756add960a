// The files of a node that keeps its own private key.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "util/ascii.hpp"
#include "util/join.hpp"
#include "wgkit/device.hpp"
#include "wgkit/fleet.hpp"

namespace wgkit::fleet {

namespace {

/// Calls `take(line, line_with_its_end)` for each line.
template <class Take>
void each_line(std::string_view text, Take&& take) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto size = end == text.npos ? text.size() : end + 1;
        take(ascii::trim(text.substr(0, size)), text.substr(0, size));
        text.remove_prefix(size);
    }
}

std::string_view key_of(std::string_view line) {
    const auto equals = line.find('=');
    return equals == line.npos ? std::string_view() : ascii::trim(line.substr(0, equals));
}

std::string text_of(const std::vector<std::string>& values) {
    std::string text;
    for (const auto& value : values) text += (text.empty() ? "" : ", ") + value;
    return text;
}

std::string text_of(const std::vector<Prefix>& values) { return join(values, ", "); }

template <class Value>
std::string text_of(const std::optional<Value>& value) {
    if (!value) return {};
    if constexpr (std::is_arithmetic_v<Value>)
        return std::to_string(*value);
    else if constexpr (std::is_same_v<Value, std::string>)
        return *value;
    else
        return to_string(*value);
}

/// What a device makes of a peer's list.
std::set<Prefix> prefixes_of(const WantedPeer& peer) {
    std::set<Prefix> out;
    for (const auto& prefix : peer.allowed_ips) out.insert(prefix.masked());
    return out;
}

std::string list_of(const std::set<Prefix>& prefixes) {
    return prefixes.empty() ? "(none)" : join(prefixes, ", ");
}

class Comparison {
  public:
    std::vector<std::string> lines;

    template <class Value>
    void field(const std::string& name, const Value& before, const Value& after) {
        const auto from = text_of(before);
        const auto to = text_of(after);
        if (from == to) return;
        if (from.empty())
            lines.push_back(fmt::format("+ {} = {}", name, to));
        else if (to.empty())
            lines.push_back(fmt::format("- {} = {}", name, from));
        else
            lines.push_back(fmt::format("~ {}: {} -> {}", name, from, to));
    }

    void interface(const config::Interface& before, const config::Interface& after) {
        if (before.private_key && after.private_key
            && !equal(*before.private_key, *after.private_key))
            lines.emplace_back("~ private key");
        field("ListenPort", before.listen_port, after.listen_port);
        field("FwMark", before.fw_mark, after.fw_mark);
        field("Address", before.addresses, after.addresses);
        field("DNS", before.dns, after.dns);
        field("MTU", before.mtu, after.mtu);
        field("Table", before.table, after.table);
        for (const auto& [name, from, to] :
             {std::tuple("PreUp", &before.pre_up, &after.pre_up),
              std::tuple("PostUp", &before.post_up, &after.post_up),
              std::tuple("PreDown", &before.pre_down, &after.pre_down),
              std::tuple("PostDown", &before.post_down, &after.post_down)})
            field(name, *from, *to);
    }

    void peer(const WantedPeer& before, const WantedPeer& after) {
        const auto name = name_of(after);
        const auto change = [&](const std::string& text) {
            lines.push_back(fmt::format("~ peer {}: {}", name, text));
        };
        const auto set = [](const std::optional<PresharedKey>& key) {
            return key && !is_zero(*key);
        };
        if (set(before.preshared_key) != set(after.preshared_key))
            change(set(after.preshared_key) ? "+ preshared key" : "- preshared key");
        else if (set(after.preshared_key) && !equal(*before.preshared_key, *after.preshared_key))
            change("other preshared key");
        if (before.endpoint != after.endpoint)
            change(fmt::format("endpoint {} -> {}",
                               before.endpoint ? to_string(*before.endpoint) : "(none)",
                               after.endpoint ? to_string(*after.endpoint) : "(none)"));
        if (before.persistent_keepalive.value_or(0) != after.persistent_keepalive.value_or(0))
            change(fmt::format("keepalive {} -> {}", before.persistent_keepalive.value_or(0),
                               after.persistent_keepalive.value_or(0)));
        const auto from = prefixes_of(before);
        const auto to = prefixes_of(after);
        if (from != to) change(fmt::format("allowed ips {} -> {}", list_of(from), list_of(to)));
    }

    static std::string name_of(const WantedPeer& peer) {
        return peer.name.empty() ? to_string(peer.public_key) : peer.name;
    }
};

} // namespace

SecretString with_private_key(std::string_view rendered, const std::string& interface,
                              const PrivateKey& key) {
    const auto command = fmt::format("wg set %i private-key /etc/wireguard/{}.key", interface);
    SecretString text;
    text.reserve(rendered.size() + 2 * key_base64_length);
    each_line(rendered, [&](std::string_view line, std::string_view whole) {
        const auto name = key_of(line);
        if (ascii::iequals(name, "PrivateKey")) return;
        if (ascii::iequals(name, "PostUp") && line.ends_with(command)) return;
        text.append(whole);
        if (line != "[Interface]") return;
        if (!text.ends_with('\n')) text += '\n';
        text.append("PrivateKey = ").append(reveal_base64(key)).append("\n");
    });
    return text;
}

SecretString without_private_key(std::string_view text) {
    SecretString out;
    out.reserve(text.size());
    each_line(text, [&](std::string_view line, std::string_view whole) {
        SecretString squeezed; // wg ignores white space within names, too
        for (const char c : key_of(line))
            if (!ascii::is_space(c)) squeezed += c;
        if (!ascii::iequals(squeezed, "PrivateKey")) out.append(whole);
    });
    return out;
}

std::vector<std::string> compare_files(const config::Config& before, const config::Config& after) {
    Comparison comparison;
    comparison.interface(before.interface, after.interface);
    const auto from = wanted_device(before);
    const auto to = wanted_device(after);
    std::map<PublicKey, const WantedPeer*> was;
    for (const auto& peer : from.peers) was[peer.public_key] = &peer;
    for (const auto& peer : to.peers) {
        const auto found = was.find(peer.public_key);
        if (found == was.end()) {
            comparison.lines.push_back("+ peer " + Comparison::name_of(peer));
            continue;
        }
        if (found->second != nullptr) comparison.peer(*found->second, peer);
        found->second = nullptr;
    }
    for (const auto& [key, peer] : was)
        if (peer != nullptr) comparison.lines.push_back("- peer " + Comparison::name_of(*peer));
    return std::move(comparison.lines);
}

} // namespace wgkit::fleet
