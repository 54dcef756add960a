#include "netlink/nft_tables.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>

#include "netlink/attributes.hpp"
#include "netlink/request.hpp"
#include "netlink/socket.hpp"

namespace wgkit::netlink {

Result<std::vector<Family>> find_nft_tables(const std::string& name) {
    auto socket = Socket::open(NETLINK_NETFILTER);
    std::vector<Family> families;
    if (!socket) return families; // a kernel without netfilter
    Request request((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, NLM_F_DUMP);
    request.header<nfgenmsg>().nfgen_family = NFPROTO_UNSPEC;
    const auto read = [&](const nlmsghdr& message) -> Result<void> {
        const auto* header = header_of<nfgenmsg>(message);
        if (header == nullptr) return {};
        const int family = header->nfgen_family;
        if (family != NFPROTO_IPV4 && family != NFPROTO_IPV6) return {};
        each_attribute(message, sizeof(nfgenmsg), [&](int type, const nlattr& attribute) {
            if (type == NFTA_TABLE_NAME && text_of(attribute) == name)
                families.push_back(family == NFPROTO_IPV4 ? Family::ipv4 : Family::ipv6);
            return true;
        });
        return {};
    };
    const auto asked = socket->ask(request.message(), "cannot list tables of nftables",
                                   {[&families] { families.clear(); }, read});
    const int error = socket->kernel_error();
    if (!asked && error != EINVAL && error != EOPNOTSUPP && error != EPROTONOSUPPORT)
        return asked.error();
    return families;
}

} // namespace wgkit::netlink
