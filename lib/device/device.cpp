#include "wgkit/device.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>

#include "netlink/backend.hpp"
#include "netlink/links.hpp"
#include "uapi/client.hpp"
#include "util/interface_name.hpp"

namespace wgkit {

std::string to_string(const DeviceEndpoint& endpoint) {
    if (endpoint.address.is_v4())
        return fmt::format("{}:{}", to_string(endpoint.address), endpoint.port);
    std::string scope;
    if (endpoint.scope != 0) {
        std::array<char, IF_NAMESIZE> name{};
        scope = ::if_indextoname(endpoint.scope, name.data()) != nullptr
                    ? fmt::format("%{}", name.data())
                    : fmt::format("%{}", endpoint.scope);
    }
    return fmt::format("[{}{}]:{}", to_string(endpoint.address), scope, endpoint.port);
}

Result<std::vector<std::string>> list_devices() {
    auto names = netlink::list_wireguard_links();
    if (!names) return names;
    auto served = uapi::list_devices();
    if (!served) return served;
    for (auto& name : *served)
        if (std::find(names->begin(), names->end(), name) == names->end())
            names->push_back(std::move(name));
    return names;
}

Result<Device> read_device(const std::string& name) {
    if (!is_interface_name(name)) return no_interface_name(name);
    auto served = uapi::read_device(name);
    if (!served) return served.error();
    if (*served) return *std::move(*served);
    return netlink::read_device(name);
}

Result<void> set_all(DeviceBackend& backend, const DeviceChange& change) {
    if (change.empty()) return {};
    const auto refused = backend.set(change);
    if (!refused) return refused.error();
    if (refused->empty()) return {};
    const auto& [key, error] = refused->front();
    return Error{error.code, fmt::format("peer {} was refused: {}", to_string(key), error.message),
                 error.hint};
}

Result<std::unique_ptr<DeviceBackend>> open_device(const std::string& name) {
    if (!is_interface_name(name)) return no_interface_name(name);
    const auto served = uapi::is_served(name);
    if (!served) return served.error();
    std::unique_ptr<DeviceBackend> backend;
    if (*served)
        backend = std::make_unique<uapi::Backend>(name);
    else
        backend = std::make_unique<netlink::Backend>(name);
    return backend;
}

} // namespace wgkit
