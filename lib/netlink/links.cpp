#include "netlink/links.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>

#include "netlink/attributes.hpp"
#include "netlink/socket.hpp"

namespace wgkit::netlink {

namespace {

bool is_wireguard(const nlattr& link_info) {
    bool found = false;
    each_nested(link_info, [&found](int type, const nlattr& attribute) {
        if (type == IFLA_INFO_KIND && text_of(attribute) == "wireguard") found = true;
        return true;
    });
    return found;
}

} // namespace

Result<std::vector<std::string>> list_wireguard_links() {
    auto socket = Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    alignas(nlmsghdr) std::array<char, 256> buffer{};
    nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg));

    std::vector<std::string> names;
    const Reader reader{[&names] { names.clear(); },
                        [&names](const nlmsghdr& message) -> Result<void> {
                            if (message.nlmsg_type != RTM_NEWLINK) return {};
                            std::string name;
                            bool wanted = false;
                            each_attribute(message, sizeof(ifinfomsg),
                                           [&](int type, const nlattr& attribute) {
                                               if (type == IFLA_IFNAME)
                                                   name = text_of(attribute);
                                               else if (type == IFLA_LINKINFO)
                                                   wanted = is_wireguard(attribute);
                                               return true;
                                           });
                            if (wanted && !name.empty()) names.push_back(std::move(name));
                            return {};
                        }};
    if (auto asked = socket->ask(*request, "cannot list interfaces", reader); !asked)
        return asked.error();
    return names;
}

} // namespace wgkit::netlink
