#include "netlink/addresses.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "netlink/attributes.hpp"
#include "netlink/family_number.hpp"
#include "netlink/request.hpp"

namespace wgkit::netlink {

namespace {

std::optional<Prefix> address_in(const nlmsghdr& message, std::uint32_t link) {
    const auto* header = header_of<ifaddrmsg>(message);
    if (message.nlmsg_type != RTM_NEWADDR || header == nullptr || header->ifa_index != link)
        return std::nullopt;
    std::optional<IpAddress> address;
    std::optional<IpAddress> local; // where there is a far end, IFA_ADDRESS is that
    each_attribute(message, sizeof(ifaddrmsg), [&](int type, const nlattr& attribute) {
        if (type == IFA_ADDRESS) address = to_address(header->ifa_family, bytes_of(attribute));
        if (type == IFA_LOCAL) local = to_address(header->ifa_family, bytes_of(attribute));
        return true;
    });
    if (local) address = local;
    if (!address) return std::nullopt;
    return Prefix{*address, header->ifa_prefixlen};
}

Request address_request(std::uint16_t type, std::uint16_t flags, std::uint32_t link,
                        const Prefix& address) {
    Request request(type, flags);
    auto& header = request.header<ifaddrmsg>();
    header.ifa_family = family_number(address.address.family());
    header.ifa_prefixlen = address.length;
    header.ifa_index = link;
    request.put_bytes(IFA_LOCAL, address.address.bytes());
    request.put_bytes(IFA_ADDRESS, address.address.bytes());
    return request;
}

} // namespace

Result<std::vector<Prefix>> read_addresses(Socket& socket, std::uint32_t link) {
    std::vector<Prefix> addresses;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        Request request(RTM_GETADDR, NLM_F_DUMP);
        auto& header = request.header<ifaddrmsg>();
        header.ifa_family = family_number(family);
        header.ifa_index = link;
        const auto is_of_family = [family](const Prefix& p) {
            return p.address.family() == family;
        };
        const Reader reader{[&] { std::erase_if(addresses, is_of_family); },
                            [&](const nlmsghdr& message) -> Result<void> {
                                const auto address = address_in(message, link);
                                if (address && is_of_family(*address))
                                    addresses.push_back(*address);
                                return {};
                            }};
        if (auto asked = socket.ask(request.message(), "cannot list addresses", reader); !asked)
            return asked.error();
    }
    return addresses;
}

Result<void> add_address(Socket& socket, std::uint32_t link, const Prefix& address) {
    auto request = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, link, address);
    return socket.ask(request.message(), "cannot add the address", {});
}

Result<void> remove_address(Socket& socket, std::uint32_t link, const Prefix& address) {
    auto request = address_request(RTM_DELADDR, 0, link, address);
    return socket.ask(request.message(), "cannot remove the address", {});
}

} // namespace wgkit::netlink
