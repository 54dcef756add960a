#pragma once

#include <span>
#include <string>
#include <utility>

#include "device/steps.hpp"

namespace wgkit {

/// A device that takes the steps of a change in messages.
class MessageBackend : public DeviceBackend {
  public:
    Result<std::vector<RefusedPeer>> set(const DeviceChange& change) override;

  protected:
    explicit MessageBackend(std::string name) : name_(std::move(name)) {}
    /// How many of the steps one message takes, one at least.
    virtual std::size_t fits(std::span<const PeerStep> steps) const = 0;
    /// Sends one message; `fields`: with those of the device itself, or null.
    /// Returns 0, or the error number with which the device refused it, having done a part of it.
    /// Errors: the device cannot be asked at all.
    virtual Result<int> send(const DeviceChange* fields, std::span<const PeerStep> steps) = 0;

    std::string name_;

  private:
    Result<void> send_one_by_one(std::span<PeerStep> steps, std::vector<RefusedPeer>& refused);

    /// Whether it can take a single allowed IP away: known once it is asked to. Linux can
    /// from 6.16.
    bool can_remove_ = true;
};

} // namespace wgkit
