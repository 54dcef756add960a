// Any text on the configuration socket does the same however it is cut into pieces; what `get`
// answers can be set again, on a new device, and is then answered again.
#include <cstdlib>

#include "engine/control.hpp"

using namespace wgkit;
using namespace wgkit::engine;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// Sockets that are not there. One port is taken and one mark is not allowed.
class Memory : public Outside {
  public:
    Result<void> set_listen_port(std::uint16_t port) override {
        if (port == 1) return Error{Errc::conflict, "taken", {}};
        port_ = port == 0 ? 4567 : port;
        return {};
    }
    Result<void> set_mark(std::uint32_t mark) override {
        if (mark == 1) return Error{Errc::permission, "not allowed", {}};
        mark_ = mark;
        return {};
    }
    std::uint16_t listen_port() const override { return port_; }
    std::uint32_t mark() const override { return mark_; }
    std::string statistics() const override { return "wgkit_peers=0\n"; }

  private:
    std::uint16_t port_ = 0;
    std::uint32_t mark_ = 0;
};

class Device {
  public:
    Device() : ciphers_(crypto::fastest_cipher("libsodium")), tunnel_(*ciphers_) {
        tunnel_.set_up(true, now_, actions_);
    }

    /// What one client is answered who sends the text in pieces of the lengths that `cuts` says,
    /// again and again; without any, all at once.
    SecretString answer(std::string_view text, std::span<const std::uint8_t> cuts = {}) {
        Control control(tunnel_, outside_);
        SecretString answer;
        std::size_t cut = 0;
        while (!text.empty()) {
            const std::size_t size = cuts.empty() ? text.size() : cuts[cut++ % cuts.size()] + 1U;
            const auto piece = text.substr(0, size);
            text.remove_prefix(piece.size());
            if (!control.feed(piece, answer, now_, actions_)) return answer;
            actions_.clear();
        }
        control.finish(answer, now_, actions_);
        actions_.clear();
        return answer;
    }

    SecretString get() { return answer("get=1\n\n"); }

  private:
    std::unique_ptr<crypto::CipherProvider> ciphers_;
    Tunnel tunnel_;
    Memory outside_;
    Actions actions_;
    Now now_{Instant(std::chrono::hours(1)), std::chrono::system_clock::time_point{}};
};

/// The configuration in an answer to `get`, without what only happens.
SecretString configuration(const SecretString& got) {
    SecretString text;
    std::string_view rest = got;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n') + 1);
        rest.remove_prefix(line.size());
        if (line.starts_with("errno=")) break;
        if (line.starts_with("last_handshake_time_") || line.starts_with("tx_bytes=")
            || line.starts_with("rx_bytes="))
            continue;
        text.append(line);
    }
    return text;
}

} // namespace

/// Shape: up to 8 lengths of pieces after their number, then the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t count = std::min<std::size_t>(data[0] % 9, size - 1);
    const std::span<const std::uint8_t> cuts(data + 1, count);
    const std::string_view text(reinterpret_cast<const char*>(data + 1 + count), size - 1 - count);

    Device whole;
    Device pieces;
    const auto first = whole.answer(text);
    const auto second = pieces.answer(text, cuts);
    const auto got = whole.get();
    require(got.ends_with("errno=0\n\n"));
    require(configuration(got) == configuration(pieces.get()));
    require(first == second);

    Device copy;
    const auto wanted = configuration(got);
    SecretString request = "set=1\n";
    request.append(wanted).append("\n");
    require(copy.answer(request) == "errno=0\n\n");
    require(configuration(copy.get()) == wanted);
    // And on the same device, where nothing changes.
    require(whole.answer(request) == "errno=0\n\n");
    require(configuration(whole.get()) == wanted);
    return 0;
}
