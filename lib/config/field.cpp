#include "config/field.hpp"

#include <fmt/format.h>

#include <utility>

#include "config/endpoint.hpp"
#include "config/value.hpp"
#include "util/ascii.hpp"

namespace wgkit::config {

namespace {

/// What a reader of one value needs beside its text.
struct Place {
    const Field& field;
    Mark mark;
    Diagnostics& diagnostics;

    void error(std::string_view code, const Error& error) const {
        diagnostics.error(std::string(code), mark, error.message).hint = error.hint;
    }
    void warning(std::string_view code, std::string message, std::string hint) const {
        diagnostics.warning(std::string(code), mark, std::move(message)).hint = std::move(hint);
    }
};

/// Keeps the value or reports it under `code`.
template <class T, class Target>
bool keep(Result<T> value, Target& target, std::string_view code, const Place& place) {
    if (!value) {
        place.error(code, value.error());
        return false;
    }
    target = std::move(*value);
    return true;
}

template <class T, class Target>
bool keep_key(Result<T> value, Target& target, const Place& place) {
    if (value) {
        target = std::move(*value);
        return true;
    }
    // The text is not shown, not even of a public key: it may be the private one, misplaced.
    place.error("bad-key", {Errc::invalid,
                            fmt::format("{} is not 44 characters of base64", place.field.key.name),
                            "`wgkit keygen genkey` makes a private key, `pubkey` its public one"});
    return false;
}

/// Records where a value of one line stands; what an earlier line said is reported as lost.
void record(Field& field, Origins& origins, const Place& place) {
    auto& origin = origins.at(field.key.key);
    if (origin.mark.line != 0) {
        auto& finding = place.diagnostics.warning("repeated-key", place.mark,
                                                  fmt::format("{} is set again", field.key.name));
        finding.hint = "the last one counts; remove the others";
        finding.notes.push_back({{}, origin.mark, "first set here"});
        if (!origin.comments.beside.empty())
            origin.comments.above.push_back(std::move(origin.comments.beside));
    }
    origin.mark = place.mark;
    auto& above = origin.comments.above;
    above.insert(above.end(), field.comments.above.begin(), field.comments.above.end());
    origin.comments.beside = std::move(field.comments.beside);
}

/// Appends the entries of a list; the line's comments go to the first that is understood.
template <class T, class Read>
void read_list(Field& field, std::vector<T>& list, Origins& origins, std::string_view separators,
               std::string_view code, Diagnostics& diagnostics, Read&& read) {
    const bool by_space = separators.find(' ') != std::string_view::npos;
    std::string_view rest = field.value;
    while (true) {
        const auto end = rest.find_first_of(separators);
        const auto raw = rest.substr(0, end);
        const auto item = ascii::trim(raw);
        const Place place{field, field.line.mark(item.empty() ? raw : item), diagnostics};
        if (!item.empty() || !by_space) {
            auto value = read(squeeze(item), place);
            if (value) {
                auto& origin = origins.at(field.key.key, list.size());
                origin.mark = place.mark;
                origin.comments = std::exchange(field.comments, {});
                list.push_back(std::move(*value));
            } else {
                place.error(code, value.error());
            }
        }
        if (end == std::string_view::npos) return;
        rest.remove_prefix(end + 1);
    }
}

void read_hook(Field& field, Interface& interface, Diagnostics& diagnostics) {
    const Place place{field, field.line.mark(field.value), diagnostics};
    auto& list = field.key.key == Key::pre_up     ? interface.pre_up
                 : field.key.key == Key::post_up  ? interface.post_up
                 : field.key.key == Key::pre_down ? interface.pre_down
                                                  : interface.post_down;
    if (field.line.comment)
        place.warning("hash-in-hook", "'#' and what follows are part of the command",
                      "wg-quick before 1.0.20260223 cuts the line there; put comments on a line "
                      "of their own");
    interface.origins.at(field.key.key, list.size()) = {place.mark, std::move(field.comments)};
    list.emplace_back(field.value);
}

void read_table(Field& field, Interface& interface, const Place& place) {
    if (!keep(parse_table(field.value), interface.table, "bad-table", place)) return;
    const auto& table = *interface.table;
    for (const std::string_view word : {"off", "auto"})
        if (ascii::iequals(table, word) && table != word)
            place.warning(
                "table-case",
                fmt::format("'{}' names a routing table, it does not mean {}", table, word),
                fmt::format("write {} in lower case", word));
}

void read_endpoint(const Place& place, std::string_view text, Peer& peer) {
    auto read = parse_endpoint(text);
    if (!read) return place.error("bad-endpoint", read.error());
    peer.endpoint = std::move(read->endpoint);
    const auto form = fmt::format("write {}", to_string(*peer.endpoint));
    if (read->oddity == Oddity::bare_ipv6)
        place.warning("bare-ipv6", "IPv6 endpoint has no brackets, which only wg on Linux takes",
                      form);
    else if (read->oddity == Oddity::bracketed_name)
        place.warning("bracketed-name", "brackets are for IPv6 addresses only", form);
    else if (read->oddity == Oddity::legacy_ipv4)
        place.warning("legacy-ipv4", "endpoint is an IPv4 address in an unusual form", form);
}

} // namespace

void read_field(Field field, Interface& interface, Diagnostics& diagnostics) {
    const Place place{field, field.line.mark(field.value), diagnostics};
    const auto text = squeeze(field.value);
    switch (field.key.key) {
    case Key::private_key:
        keep_key(parse_private_key(text), interface.private_key, place);
        break;
    case Key::listen_port:
        keep(parse_listen_port(text), interface.listen_port, "bad-port", place);
        break;
    case Key::fw_mark:
        keep(parse_fw_mark(text), interface.fw_mark, "bad-fwmark", place);
        break;
    case Key::mtu:
        if (keep(parse_mtu(field.value), interface.mtu, "bad-mtu", place) && *interface.mtu < 1280)
            place.warning("low-mtu", "IPv6 does not work with an MTU below 1280", {});
        break;
    case Key::table:
        read_table(field, interface, place);
        break;
    case Key::save_config:
        if (keep(parse_save_config(field.value), interface.save_config, "bad-save-config", place)
            && *interface.save_config)
            place.warning("save-config",
                          "SaveConfig rewrites this file without its comments and host names",
                          "leave it out where the file is made by hand or by a program");
        break;
    case Key::address:
        return read_list(field, interface.addresses, interface.origins, ", \t\v\f\r", "bad-address",
                         diagnostics,
                         [](std::string_view item, const Place&) { return parse_address(item); });
    case Key::dns:
        return read_list(field, interface.dns, interface.origins, ", \t\v\f\r", "bad-dns",
                         diagnostics,
                         [](std::string_view item, const Place&) { return parse_dns(item); });
    default:
        return read_hook(field, interface, diagnostics);
    }
    record(field, interface.origins, place);
}

void read_field(Field field, Peer& peer, Diagnostics& diagnostics) {
    const Place place{field, field.line.mark(field.value), diagnostics};
    const auto text = squeeze(field.value);
    switch (field.key.key) {
    case Key::public_key:
        keep_key(PublicKey::parse(text), peer.public_key, place);
        break;
    case Key::preshared_key:
        keep_key(parse_preshared_key(text), peer.preshared_key, place);
        break;
    case Key::endpoint:
        read_endpoint(place, text, peer);
        break;
    case Key::persistent_keepalive:
        if (keep(parse_keepalive(text), peer.persistent_keepalive, "bad-keepalive", place)
            && *peer.persistent_keepalive > std::chrono::seconds{90})
            place.warning("long-keepalive",
                          "many NATs forget a mapping before this interval is over",
                          "25 seconds suits most");
        break;
    default: {
        const auto before = peer.allowed_ips.size();
        read_list(
            field, peer.allowed_ips, peer.origins, ",", "bad-allowed-ip", diagnostics,
            [](std::string_view item, const Place& at) {
                auto entry = parse_allowed_ip(item);
                if (entry && entry->prefix.has_host_bits())
                    at.warning(
                        "host-bits",
                        fmt::format("{} has bits set after its prefix", to_string(entry->prefix)),
                        fmt::format("the kernel uses {}", to_string(entry->prefix.masked())));
                return entry;
            });
        // As wg does it: each line sets "replace", each sign in it clears that.
        peer.replace_allowed_ips = true;
        for (auto i = before; i < peer.allowed_ips.size(); ++i)
            if (peer.allowed_ips[i].sign != Sign::none) peer.replace_allowed_ips = false;
        return;
    }
    }
    record(field, peer.origins, place);
}

} // namespace wgkit::config
