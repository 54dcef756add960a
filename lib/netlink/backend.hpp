#pragma once

#include <string>

#include "device/message_backend.hpp"
#include "netlink/wireguard.hpp"

namespace wgkit::netlink {

/// A device of the kernel, changed in as few messages as a change fits into; the kernel takes each
/// at once (linux/wireguard.h).
class Backend : public MessageBackend {
  public:
    explicit Backend(std::string name) : MessageBackend(std::move(name)) {}
    Result<Device> get() override { return read_device(name_); }

  private:
    std::size_t fits(std::span<const PeerStep> steps) const override;
    Result<int> send(const DeviceChange* fields, std::span<const PeerStep> steps) override;
};

} // namespace wgkit::netlink
