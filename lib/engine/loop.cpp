#include "engine/loop.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <time.h>

#include <cerrno>
#include <iterator>

#include "engine/segment_limit.hpp"

namespace wgkit::engine {

namespace {

// From the TUN device, before they are sent: enough for one system call to pay, few enough to stay
// in the processor's cache and not to overrun the receiver's queue.
constexpr int most_packets_at_once = 8;
constexpr std::size_t busy_handshakes = 1; ///< answered between two batches of packets
constexpr std::size_t idle_handshakes = 64;
constexpr std::size_t busy_timers = 4; ///< each may begin a handshake
constexpr std::size_t idle_timers = 64;
constexpr int most_busy_rounds = 64; ///< before other descriptors are looked at
constexpr int retry_ms = 1000; ///< whether the device is up, or the port free, if nobody tells us

Instant boot_time() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

} // namespace

Loop::Loop(Tun tun, ControlSocket control, std::unique_ptr<crypto::CipherProvider> ciphers,
           UdpOptions options, Log log)
    : ciphers_(std::move(ciphers)), tunnel_(*ciphers_), tun_(std::move(tun)), udp_(options),
      control_(std::move(control)), log_(std::move(log)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    // Now: following the device to other namespaces needs a capability that is given up soon.
    if (auto link = LinkWatch::open(tun_.descriptor())) link_.emplace(std::move(*link));
    udp_.on_dead_source = [this](const Path& path) { tunnel_.forget_source(path); };
    update_now();
}

void Loop::update_now() { now_ = {boot_time(), std::chrono::system_clock::now()}; }

TunnelEnd Loop::run(int signals) {
    signals_ = signals;
    watch(signals, EPOLLIN);
    watch(tun_.descriptor(), EPOLLIN);
    watch(control_.descriptor(), EPOLLIN);
    watch(control_.watch_descriptor(), EPOLLIN);
    if (link_) watch(link_->descriptor(), EPOLLIN);
    link_changed();
    TunnelEnd ended = TunnelEnd::failed;
    for (int rounds = 0;; ++rounds) {
        update_now();
        bool busy = from_network();
        busy = from_device(ended) || busy;
        if (ended != TunnelEnd::failed) return ended;
        tunnel_.work(busy ? busy_handshakes : idle_handshakes, now_, actions_);
        if (tunnel_.next_timer() <= now_.boot)
            tunnel_.on_timer(busy ? busy_timers : idle_timers, now_, actions_);
        if (!blocked_) flush();
        busy = busy
               || (actions_.send.has_room()
                   && (tunnel_.has_work() || tunnel_.next_timer() <= now_.boot));
        if (busy && rounds < most_busy_rounds) continue;
        rounds = 0;
        if (!wait(busy ? 0 : timeout(), ended)) return ended;
    }
}

/// One batch from the sockets to the TUN device. Whether there was any.
bool Loop::from_network() {
    if (!udp_.is_open() || !actions_.send.has_room()) return false;
    const auto batch = udp_.receive();
    for (const Received& received : batch) {
        tunnel_.on_udp(received, now_, actions_);
        if (!actions_.send.has_room()) flush();
        if (!actions_.deliver.empty()) tun_.write(actions_.deliver);
        actions_.deliver.clear();
    }
    return !batch.empty();
}

/// Some packets from the TUN device into the batch for the sockets. Whether there were any.
bool Loop::from_device(TunnelEnd& ended) {
    if (blocked_) return false;
    std::optional<Segmenter> packets;
    int count = 0;
    while (count < most_packets_at_once && actions_.send.has_room()) {
        const auto read = tun_.read(packets);
        if (read == Tun::Read::gone) ended = TunnelEnd::device_removed;
        if (read != Tun::Read::packet) break;
        ++count;
        if (packets) tunnel_.on_tun(*packets, now_, actions_);
    }
    for (const IcmpError& error : actions_.errors) tun_.write(Bytes(error.bytes).first(error.size));
    actions_.errors.clear();
    return count > 0;
}

/// Sends what there is. While the network takes no more, nothing is read from the device: its own
/// queue is the place to wait in.
bool Loop::flush() {
    if (actions_.send.empty()) return true;
    if (!udp_.is_open()) {
        actions_.send.clear();
        return true;
    }
    const bool blocked = !udp_.send(actions_.send);
    if (blocked || blocked_) set_blocked(blocked);
    actions_.send.set_joining(udp_.can_segment());
    return !blocked;
}

/// Only the socket that is full is waited for, and the device is not, or the wait would end at
/// once.
void Loop::set_blocked(bool blocked) {
    blocked_ = blocked;
    for (const int fd : watched_udp_) {
        const bool full = blocked && fd == udp_.full_descriptor();
        rewatch(fd, EPOLLIN | (full ? EPOLLOUT : 0U));
    }
    rewatch(tun_.descriptor(), blocked ? 0U : EPOLLIN);
}

int Loop::timeout() const {
    const bool asks = !link_ || link_up_ != tunnel_.is_up();
    int limit = asks ? retry_ms : -1;
    const Instant next = tunnel_.next_timer();
    // Without room nothing is due before there is some.
    if (next == never || !actions_.send.has_room()) return limit;
    const auto until = std::chrono::ceil<std::chrono::milliseconds>(next - now_.boot).count();
    const int ms = static_cast<int>(std::clamp<std::int64_t>(until, 0, 3'600'000));
    return limit < 0 ? ms : std::min(limit, ms);
}

/// Waits for something to do; false if the loop is to end.
bool Loop::wait(int timeout_ms, TunnelEnd& ended) {
    std::array<epoll_event, 16> events;
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
    if (count < 0 && errno != EINTR) return false;
    update_now();
    if (!link_)
        link_changed();
    else if (link_up_ != tunnel_.is_up())
        set_up(link_up_); // its port was taken
    for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        const std::uint32_t happened = events[static_cast<std::size_t>(i)].events;
        if (fd == signals_) {
            ended = TunnelEnd::stopped;
            return false;
        }
        if (fd == watched_udp_[0] || fd == watched_udp_[1]) {
            if ((happened & EPOLLOUT) != 0) flush();
            continue; // the loop reads it anyway
        }
        if (fd == tun_.descriptor()) {
            std::optional<Segmenter> none;
            if ((happened & EPOLLERR) != 0 && tun_.read(none) == Tun::Read::gone) {
                ended = TunnelEnd::device_removed;
                return false;
            }
            continue;
        }
        if (fd == control_.descriptor()) {
            const int client = control_.accept(tunnel_, *this);
            if (client >= 0) watch(client, EPOLLIN);
        } else if (fd == control_.watch_descriptor()) {
            if (control_.is_gone()) {
                ended = TunnelEnd::socket_removed;
                return false;
            }
        } else if (link_ && fd == link_->descriptor()) {
            link_changed();
        } else {
            serve(fd);
        }
    }
    return true;
}

void Loop::serve(int client) {
    // Without room its handshakes are lost, and repeated; keeping it waiting would be no better.
    if (!actions_.send.has_room() && !blocked_) flush();
    const auto served = control_.serve(client, now_, actions_);
    if (!served.open) return; // closed: epoll has forgotten it
    rewatch(client, served.wants_write ? EPOLLOUT : EPOLLIN);
}

void Loop::link_changed() {
    if (!link_) return set_up(tun_.is_up());
    const auto news = link_->read();
    if (!news) return;
    if (news->gone) {
        // Deleted: the next read says so. Else it is where we may not look, and has to be asked.
        log_(LogLevel::verbose, "the device cannot be watched where it is now");
        link_.reset();
        return;
    }
    set_mtu(news->mtu);
    set_up(news->up);
}

void Loop::set_mtu(std::size_t mtu) {
    if (mtu == mtu_) return;
    mtu_ = mtu;
    tunnel_.set_mtu(mtu);
    if (!tun_.can_segment() || (link_ && !link_->is_here())) return;
    const auto limited =
        limit_segments(::if_nametoindex(tun_.name().c_str()), segments_of_a_train(mtu));
    if (!limited) log_(LogLevel::verbose, limited.error().message);
}

void Loop::set_up(bool up) {
    link_up_ = up;
    if (up == tunnel_.is_up()) return;
    if (up) {
        auto opened = udp_.open(port_, mark_);
        const std::string failure = opened ? "" : opened.error().message;
        if (failure != open_failure_ && !opened) log_(LogLevel::error, failure);
        open_failure_ = failure;
        if (!opened) return; // tried again after a while, or when the port is changed
        actions_.send.set_joining(udp_.can_segment());
        port_ = udp_.port();
        tunnel_.set_listen_port(port_);
        const auto fds = udp_.descriptors();
        for (std::size_t i = 0; i < fds.size(); ++i)
            if (fds[i] >= 0) watch(fds[i], EPOLLIN);
        watched_udp_ = fds;
    }
    tunnel_.set_up(up, now_, actions_);
    if (!up) {
        actions_.clear();
        set_blocked(false);
        udp_.close();
        watched_udp_ = {-1, -1};
    }
    log_(LogLevel::verbose, up ? "up" : "down");
}

Result<void> Loop::set_listen_port(std::uint16_t port) {
    if (auto opened = udp_.open(port, mark_); !opened) return opened;
    port_ = udp_.port();
    tunnel_.set_listen_port(port_);
    actions_.send.set_joining(udp_.can_segment());
    if (!tunnel_.is_up()) {
        udp_.close(); // it was free: that had to be known
        set_up(link_up_);
        return {};
    }
    watched_udp_ = udp_.descriptors();
    for (const int fd : watched_udp_) watch(fd, EPOLLIN);
    set_blocked(false);
    return {};
}

Result<void> Loop::set_mark(std::uint32_t mark) {
    if (auto set = udp_.set_mark(mark); !set) return set;
    mark_ = mark;
    return {};
}

void Loop::watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (fd >= 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void Loop::rewatch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (fd >= 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

std::string Loop::statistics() const {
    std::string text =
        fmt::format("wgkit_cipher={}\nwgkit_peers={}\n", ciphers_->name(), tunnel_.peers().size());
    const auto add = [&text](const auto& counters, const auto& table) {
        for (const auto& counted : table)
            fmt::format_to(std::back_inserter(text), "wgkit_{}={}\n", counted.name,
                           counters.*counted.field);
    };
    add(tunnel_.counters(), tunnel_counters);
    add(tun_.counters(), tun_counters);
    add(udp_.counters(), udp_counters);
    return text;
}

} // namespace wgkit::engine
