#include "netlink/links.hpp"

#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "netlink/attributes.hpp"
#include "netlink/request.hpp"

namespace wgkit::netlink {

namespace {

std::string kind_in(const nlattr& link_info) {
    std::string kind;
    each_nested(link_info, [&kind](int type, const nlattr& attribute) {
        if (type == IFLA_INFO_KIND) kind = text_of(attribute);
        return true;
    });
    return kind;
}

std::optional<Link> link_in(const nlmsghdr& message) {
    const auto* header = header_of<ifinfomsg>(message);
    if (message.nlmsg_type != RTM_NEWLINK || header == nullptr) return std::nullopt;
    Link link;
    link.index = static_cast<std::uint32_t>(header->ifi_index);
    link.is_up = (header->ifi_flags & IFF_UP) != 0;
    each_attribute(message, sizeof(ifinfomsg), [&link](int type, const nlattr& attribute) {
        if (type == IFLA_IFNAME)
            link.name = text_of(attribute);
        else if (type == IFLA_MTU)
            read_value(attribute, link.mtu);
        else if (type == IFLA_LINKINFO)
            link.kind = kind_in(attribute);
        return true;
    });
    return link;
}

Result<std::optional<Link>> find(Socket& socket, Request& request) {
    std::optional<Link> found;
    const Reader reader{[&found] { found.reset(); },
                        [&found](const nlmsghdr& message) -> Result<void> {
                            if (auto link = link_in(message)) found = std::move(link);
                            return {};
                        }};
    const auto asked = socket.ask(request.message(), "cannot look for an interface", reader);
    if (!asked && socket.kernel_error() != ENODEV) return asked.error();
    return found;
}

} // namespace

Result<std::optional<Link>> find_link(Socket& socket, const std::string& name) {
    Request request(RTM_GETLINK, 0);
    request.header<ifinfomsg>();
    request.put_text(IFLA_IFNAME, name);
    return find(socket, request);
}

Result<std::optional<Link>> find_link(Socket& socket, std::uint32_t index) {
    Request request(RTM_GETLINK, 0);
    request.header<ifinfomsg>().ifi_index = static_cast<int>(index);
    return find(socket, request);
}

Result<std::vector<std::string>> list_wireguard_links() {
    auto socket = Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    Request request(RTM_GETLINK, NLM_F_DUMP);
    request.header<ifinfomsg>();

    std::vector<std::string> names;
    const Reader reader{[&names] { names.clear(); },
                        [&names](const nlmsghdr& message) -> Result<void> {
                            auto link = link_in(message);
                            if (link && link->kind == "wireguard" && !link->name.empty())
                                names.push_back(std::move(link->name));
                            return {};
                        }};
    if (auto asked = socket->ask(request.message(), "cannot list interfaces", reader); !asked)
        return asked.error();
    return names;
}

Result<Made> create_link(Socket& socket, const std::string& name, const std::string& kind) {
    Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request.header<ifinfomsg>();
    request.put_text(IFLA_IFNAME, name);
    nlattr* info = request.begin_nest(IFLA_LINKINFO);
    request.put_text(IFLA_INFO_KIND, kind);
    request.end_nest(info);
    if (auto made = socket.ask(request.message(), "cannot make the interface", {}); !made) {
        if (socket.kernel_error() == EOPNOTSUPP) return Made::no_such_kind;
        if (socket.kernel_error() == EPERM)
            return Error{Errc::permission, fmt::format("no permission to make {}", name),
                         "it takes root or CAP_NET_ADMIN"};
        return made.error();
    }
    return Made::yes;
}

Result<void> delete_link(Socket& socket, std::uint32_t index) {
    Request request(RTM_DELLINK, 0);
    request.header<ifinfomsg>().ifi_index = static_cast<int>(index);
    return socket.ask(request.message(), "cannot delete the interface", {});
}

Result<void> change_link(Socket& socket, std::uint32_t index, const LinkChange& change) {
    Request request(RTM_NEWLINK, 0);
    auto& header = request.header<ifinfomsg>();
    header.ifi_index = static_cast<int>(index);
    if (change.is_up) {
        header.ifi_change = IFF_UP;
        header.ifi_flags = *change.is_up ? IFF_UP : 0;
    }
    if (change.mtu) request.put(IFLA_MTU, *change.mtu);
    if (!change.name.empty()) request.put_text(IFLA_IFNAME, change.name);
    if (change.netns >= 0) request.put(IFLA_NET_NS_FD, change.netns);
    return socket.ask(request.message(), "cannot change the interface", {});
}

} // namespace wgkit::netlink
