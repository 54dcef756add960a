#pragma once

#include <libmnl/libmnl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <span>
#include <string_view>

namespace wgkit::netlink {

/// The bytes of an attribute.
inline std::span<const std::uint8_t> bytes_of(const nlattr& attribute) {
    return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute)),
            mnl_attr_get_payload_len(&attribute)};
}

/// The attributes in `bytes`, one after the other: a message's behind its header, or nested ones.
/// `visit(type, attribute)` returns whether to go on; so does this.
template <class Visit>
bool each_attribute(std::span<const std::uint8_t> bytes, Visit visit) {
    while (bytes.size() >= sizeof(nlattr)) {
        const auto* attribute = reinterpret_cast<const nlattr*>(bytes.data());
        if (!mnl_attr_ok(attribute, static_cast<int>(bytes.size()))) break;
        if (!visit(mnl_attr_get_type(attribute), *attribute)) return false;
        const std::size_t step = MNL_ALIGN(attribute->nla_len);
        bytes = bytes.subspan(std::min(step, bytes.size()));
    }
    return true;
}

template <class Visit>
bool each_nested(const nlattr& attribute, Visit visit) {
    return each_attribute(bytes_of(attribute), visit);
}

/// Attributes of a message behind a header of its own of `header_bytes`.
template <class Visit>
bool each_attribute(const nlmsghdr& message, std::size_t header_bytes, Visit visit) {
    const std::span payload(static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(&message)),
                            mnl_nlmsg_get_payload_len(&message));
    const std::size_t skipped = MNL_ALIGN(header_bytes);
    return payload.size() >= skipped && each_attribute(payload.subspan(skipped), visit);
}

/// Reads a plain value of exactly that size, in the machine's order.
template <class Value>
bool read_value(const nlattr& attribute, Value& out) {
    const auto bytes = bytes_of(attribute);
    if (bytes.size() != sizeof out) return false;
    std::memcpy(&out, bytes.data(), sizeof out);
    return true;
}

/// Text up to its first zero byte.
inline std::string_view text_of(const nlattr& attribute) {
    const auto bytes = bytes_of(attribute);
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return all.substr(0, all.find('\0'));
}

} // namespace wgkit::netlink
