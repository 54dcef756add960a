#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <cstdint>
#include <cstring>

#include <span>
#include <string>

namespace wgkit::netlink {

/// A request of rtnetlink under construction: a header of the kind's own, then attributes, few and
/// short. `type`: RTM_...; `flags`: NLM_F_DUMP or what a change asks for.
class Request {
  public:
    Request(std::uint16_t type, std::uint16_t flags) {
        nlmsghdr* message = mnl_nlmsg_put_header(buffer_.data());
        message->nlmsg_type = type;
        message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        if ((flags & NLM_F_DUMP) != NLM_F_DUMP) message->nlmsg_flags |= NLM_F_ACK;
    }

    /// The kind's header, all zero; before any attribute.
    template <class Header>
    Header& header() {
        return *static_cast<Header*>(mnl_nlmsg_put_extra_header(&message(), sizeof(Header)));
    }
    template <class Value>
    void put(std::uint16_t type, const Value& value) {
        mnl_attr_put(&message(), type, sizeof value, &value);
    }
    void put_bytes(std::uint16_t type, std::span<const std::uint8_t> bytes) {
        mnl_attr_put(&message(), type, bytes.size(), bytes.data());
    }
    void put_text(std::uint16_t type, const std::string& text) {
        mnl_attr_put_strz(&message(), type, text.c_str());
    }
    nlattr* begin_nest(std::uint16_t type) { return mnl_attr_nest_start(&message(), type); }
    void end_nest(nlattr* nest) { mnl_attr_nest_end(&message(), nest); }

    nlmsghdr& message() { return *reinterpret_cast<nlmsghdr*>(buffer_.data()); }

  private:
    alignas(nlmsghdr) std::array<char, 512> buffer_{};
};

/// A message's own header.
template <class Header>
const Header* header_of(const nlmsghdr& message) {
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(Header)) return nullptr;
    return static_cast<const Header*>(mnl_nlmsg_get_payload(&message));
}

} // namespace wgkit::netlink
