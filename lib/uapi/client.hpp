#pragma once

#include <optional>
#include <string>
#include <vector>

#include "device/message_backend.hpp"

/// Userspace engines, asked over their configuration sockets /var/run/wireguard/IFACE.sock.
namespace wgkit::uapi {

/// The interfaces whose sockets somebody listens on, in the folder's order, as wg(8) lists them.
/// What a killed engine left behind is skipped, and left alone. Errors: permission, system.
Result<std::vector<std::string>> list_devices();

/// What the engine says of its device; nothing if no engine serves such an interface.
/// Errors: permission, invalid (a malformed answer), system.
Result<std::optional<Device>> read_device(const std::string& name);

/// Whether an engine serves such an interface. Errors: permission, system.
Result<bool> is_served(const std::string& name);

/// The device of an engine. A change is one message, of any size.
class Backend : public MessageBackend {
  public:
    explicit Backend(std::string name) : MessageBackend(std::move(name)) {}
    Result<Device> get() override;

  private:
    std::size_t fits(std::span<const PeerStep> steps) const override { return steps.size(); }
    Result<int> send(const DeviceChange* fields, std::span<const PeerStep> steps) override;
};

} // namespace wgkit::uapi
