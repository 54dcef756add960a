#pragma once

#include <string_view>

#include "wgkit/device.hpp"

namespace wgkit::uapi {

/// Reads the answer to `get=1` (wireguard.com/xplatform) as it comes in, in parts of any size.
/// Strict in what it knows: a value that breaks its grammar, a peer's key before any peer and an
/// answer without an end are errors. Keys that it does not know are passed over: other engines
/// tell more than the protocol asks for.
class Answer {
  public:
    explicit Answer(std::string name) { device_.name = std::move(name); }

    /// Takes the next bytes. Errors: invalid, with the line's number and key but never its value;
    /// system or permission if the engine reports a failure.
    Result<void> feed(std::string_view bytes);
    /// Whether the empty line that ends an answer has come.
    bool is_complete() const { return complete_; }
    /// The error number with which the engine refused the request; 0: it did not.
    int refusal() const { return error_ > 0 ? error_ : 0; }
    /// What was read. Requires is_complete().
    Device take() { return std::move(device_); }

  private:
    Result<void> line(std::string_view text);
    bool device_line(std::string_view key, std::string_view value);
    bool peer_line(std::string_view key, std::string_view value);
    Result<void> end() const;

    Device device_;
    SecretString partial_; ///< the begin of a line whose end has not come yet
    std::size_t lines_ = 0;
    int error_ = -1; ///< the engine's error number; -1: not told yet
    bool complete_ = false;
};

} // namespace wgkit::uapi
