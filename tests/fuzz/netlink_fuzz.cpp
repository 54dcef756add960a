// Any bytes in a message of the kernel's WireGuard are read inside their bounds, and what is read
// is a device that can be written.
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "netlink/wireguard.hpp"

using namespace wgkit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t header = NLMSG_HDRLEN + GENL_HDRLEN;
    // Of exactly this size, so that a sanitizer sees a step beyond its end.
    std::vector<std::uint32_t> memory((header + size + 3) / 4);
    nlmsghdr head{};
    head.nlmsg_len = static_cast<std::uint32_t>(header + size);
    std::memcpy(memory.data(), &head, sizeof head);
    if (size != 0) std::memcpy(reinterpret_cast<std::uint8_t*>(memory.data()) + header, data, size);
    Device device;
    if (!netlink::add_message(device, *reinterpret_cast<const nlmsghdr*>(memory.data()))) return 0;
    for (const auto& peer : device.peers) {
        for (const auto& prefix : peer.allowed_ips)
            if (!Prefix::parse(to_string(prefix))) std::abort();
        if (peer.endpoint && to_string(*peer.endpoint).empty()) std::abort();
    }
    return 0;
}
