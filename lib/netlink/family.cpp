#include "netlink/family.hpp"

#include <linux/genetlink.h>

#include <array>
#include <cerrno>

#include "netlink/attributes.hpp"

namespace wgkit::netlink {

Result<std::optional<std::uint16_t>> find_family(Socket& socket, const char* name) {
    alignas(nlmsghdr) std::array<char, 256> buffer{};
    nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = GENL_ID_CTRL;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    auto* header =
        static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(request, sizeof(genlmsghdr)));
    header->cmd = CTRL_CMD_GETFAMILY;
    header->version = 1;
    mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, name);

    std::optional<std::uint16_t> id;
    const auto read = [&id](const nlmsghdr& message) -> Result<void> {
        each_attribute(message, sizeof(genlmsghdr), [&id](int type, const nlattr& attribute) {
            std::uint16_t value = 0;
            if (type == CTRL_ATTR_FAMILY_ID && read_value(attribute, value)) id = value;
            return true;
        });
        return {};
    };
    const auto asked =
        socket.ask(*request, "cannot ask for a family of generic netlink", {{}, read});
    if (!asked && socket.kernel_error() != ENOENT) return asked.error();
    return id;
}

} // namespace wgkit::netlink
