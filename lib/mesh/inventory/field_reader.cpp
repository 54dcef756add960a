#include "mesh/inventory/field_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "util/ascii.hpp"

namespace wgkit::mesh::field {

using yaml::Kind;
using yaml::Value;

namespace {

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), ascii::is_digit);
}

} // namespace

std::optional<std::string> label(const Value& value, Diagnostics& diagnostics) {
    auto word = text(value, diagnostics);
    if (!word || ascii::is_dns_label(*word)) return word;
    bad(value, diagnostics, fmt::format("'{}' is not a DNS label", *word),
        "use letters, digits and inner hyphens, at most 63 characters", "not-a-dns-label");
    return std::nullopt;
}

std::optional<std::string> interface(const Value& value, Diagnostics& diagnostics) {
    auto name = text(value, diagnostics);
    const auto fits = [](char c) {
        return ascii::is_alnum(c) || std::string_view("_=+.-").find(c) != std::string_view::npos;
    };
    if (!name
        || (!name->empty() && name->size() <= 15 && *name != "." && *name != ".."
            && std::all_of(name->begin(), name->end(), fits)))
        return name;
    bad(value, diagnostics, fmt::format("'{}' is not an interface name", *name),
        "use 1 to 15 letters, digits and _=+.-");
    return std::nullopt;
}

std::optional<std::vector<Located<std::string>>> texts(const Value& value,
                                                       Diagnostics& diagnostics) {
    std::vector<Located<std::string>> list;
    if (value.kind == Kind::null) return list;
    if (value.kind == Kind::scalar) {
        const auto one = text(value, diagnostics);
        if (!one) return std::nullopt;
        list.push_back({*one, value.mark});
        return list;
    }
    if (!expect(value, Kind::sequence, diagnostics)) return std::nullopt;
    for (const auto& item : value.items)
        if (const auto one = text(item, diagnostics)) list.push_back({*one, item.mark});
    return list;
}

std::optional<std::uint16_t> port(const Value& value, Diagnostics& diagnostics) {
    const auto word = text(value, diagnostics);
    if (!word) return std::nullopt;
    const auto result = ascii::to_number(*word, 65535);
    if (result && *result != 0) return static_cast<std::uint16_t>(*result);
    if (is_number(*word))
        bad(value, diagnostics, fmt::format("port {} is out of range", *word),
            "ports go from 1 to 65535", "port-out-of-range");
    else
        bad(value, diagnostics, fmt::format("'{}' is not a port number", *word));
    return std::nullopt;
}

std::optional<std::uint16_t> keepalive(const Value& value, Diagnostics& diagnostics) {
    if (value.kind == Kind::scalar && value.scalar == "off") return std::uint16_t{0};
    const auto seconds = number(value, 0, 65535, diagnostics);
    return seconds ? std::optional(static_cast<std::uint16_t>(*seconds)) : std::nullopt;
}

std::optional<IpAddress> address(const Value& value, Family family, Diagnostics& diagnostics) {
    const auto word = text(value, diagnostics);
    if (!word) return std::nullopt;
    const auto result = IpAddress::parse(*word);
    if (result && result->family() == family) return result;
    bad(value, diagnostics,
        fmt::format("'{}' is not an IPv{} address", *word, static_cast<int>(family)));
    return std::nullopt;
}

std::optional<Prefix> prefix(const Value& value, Diagnostics& diagnostics) {
    const auto word = text(value, diagnostics);
    if (!word) return std::nullopt;
    const auto result = Prefix::parse(*word);
    if (!result) {
        bad(value, diagnostics, result.error().message);
        return std::nullopt;
    }
    if (result->has_host_bits()) {
        bad(value, diagnostics, fmt::format("{} has bits set beyond its length", *word),
            fmt::format("write {}", to_string(result->masked())), "host-bits");
        return result->masked();
    }
    return *result;
}

std::optional<std::vector<Located<Prefix>>> prefixes(const Value& value, Diagnostics& diagnostics) {
    std::vector<Located<Prefix>> list;
    if (value.kind == Kind::null) return list;
    if (!expect(value, Kind::sequence, diagnostics)) return std::nullopt;
    for (const auto& item : value.items)
        if (const auto one = prefix(item, diagnostics)) list.push_back({*one, item.mark});
    return list;
}

std::optional<Endpoint> endpoint(const Value& value, Diagnostics& diagnostics) {
    auto word = text(value, diagnostics);
    if (!word) return std::nullopt;
    const bool without_port =
        word->ends_with(']') || (!word->empty() && word->find(':') == std::string::npos);
    auto result = Endpoint::parse(without_port ? *word + ":1" : *word);
    if (result) {
        if (without_port) result->port = 0;
        return *result;
    }
    std::string code = "bad-value";
    if (result.error().message.find("without brackets") != std::string::npos)
        code = "unbracketed-ipv6";
    else if (is_number(word->substr(word->rfind(':') + 1)))
        code = "port-out-of-range";
    bad(value, diagnostics, result.error().message, result.error().hint, code);
    return std::nullopt;
}

std::optional<PublicKey> public_key(const Value& value, Diagnostics& diagnostics) {
    const auto word = text(value, diagnostics);
    if (!word) return std::nullopt;
    const auto result = PublicKey::parse(*word);
    if (result) return *result;
    bad(value, diagnostics, result.error().message, "`wg pubkey` prints one");
    return std::nullopt;
}

std::optional<Date> date(const Value& value, Diagnostics& diagnostics) {
    const auto word = text(value, diagnostics);
    if (!word) return std::nullopt;
    if (const auto result = parse_date(*word)) return result;
    bad(value, diagnostics, fmt::format("'{}' is not a date", *word), "write YYYY-MM-DD");
    return std::nullopt;
}

} // namespace wgkit::mesh::field
