#include "engine/coalescer.hpp"

#include "support/catch.hpp"
#include "support/offload.hpp"

using namespace wgkit::engine;
using namespace wgkit::test;

namespace {

constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32, ece = 64, cwr = 128;

/// Packets of one flow that follow each other.
class Flow {
  public:
    explicit Flow(PacketSpec spec) : spec_(std::move(spec)) {}

    PacketSpec& spec() { return spec_; }
    PacketBytes next(std::size_t size) {
        return next(size, [](PacketSpec&) {});
    }
    /// `change` is for this packet alone.
    template <typename Change>
    PacketBytes next(std::size_t size, Change change) {
        spec_.payload = make_payload(size, ++seed_);
        PacketSpec one = spec_;
        change(one);
        spec_.sequence += static_cast<std::uint32_t>(size);
        ++spec_.id;
        return make_packet(one);
    }

  private:
    PacketSpec spec_;
    std::uint32_t seed_ = 0;
};

const PacketSpec tcp4{.id = 100};
const PacketSpec tcp6{.is_v6 = true};
const PacketSpec udp4{.is_udp = true, .id = 100};
const PacketSpec udp6{.is_v6 = true, .is_udp = true};

/// How many packets each write is made of.
std::vector<std::size_t> sizes(std::vector<PacketBytes> packets,
                               const CoalescerOptions& options = {}) {
    CHECK(broken_round_trip(packets, options) == "");
    std::vector<std::size_t> result;
    for (const auto& whole : merge(packets, options)) result.push_back(whole.segments);
    return result;
}

using Sizes = std::vector<std::size_t>;

/// Three packets, of which the second is changed.
template <typename Change>
Sizes with_changed(const PacketSpec& spec, Change change) {
    Flow flow(spec);
    std::vector<PacketBytes> packets{flow.next(100)};
    packets.push_back(flow.next(100, change));
    packets.push_back(flow.next(100));
    return sizes(std::move(packets));
}

} // namespace

TEST_CASE("segments that follow each other become one large packet") {
    for (const auto& spec : {tcp4, tcp6, udp4, udp6}) {
        Flow flow(spec);
        std::vector<PacketBytes> packets;
        for (int i = 0; i < 5; ++i) packets.push_back(flow.next(1000));
        packets.push_back(flow.next(999)); // a shorter one ends it
        packets.push_back(flow.next(1000));
        CHECK(sizes(packets) == Sizes{6, 1});
        const auto merged = merge(packets);
        CHECK(merged[0].header.gso_type
              == (spec.is_udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
                  : spec.is_v6 ? VIRTIO_NET_HDR_GSO_TCPV6
                               : VIRTIO_NET_HDR_GSO_TCPV4));
        CHECK(merged[0].header.gso_size == 1000);
    }
}

TEST_CASE("a single packet is written unchanged") {
    std::vector<PacketBytes> packets{Flow(tcp4).next(100)};
    const auto merged = merge(packets);
    REQUIRE(merged.size() == 1);
    CHECK(merged[0].bytes == packets[0]);
    const virtio_net_hdr plain{};
    CHECK(std::memcmp(&merged[0].header, &plain, sizeof plain) == 0);
}

TEST_CASE("a packet after a merged one gets a clean header") {
    // wireguard-go left the header of the item before in the next buffer (ecfc5a8).
    Coalescer coalescer(4);
    Flow flow(tcp4);
    std::vector<PacketBytes> packets{flow.next(100), flow.next(50)};
    for (auto& packet : packets) coalescer.add(packet);
    REQUIRE(coalescer.finish().size() == 1);
    REQUIRE(coalescer.finish()[0].header.gso_type == VIRTIO_NET_HDR_GSO_TCPV4);
    coalescer.clear();
    CHECK(coalescer.finish().empty());
    coalescer.add(packets[0]);
    const auto again = coalescer.finish();
    REQUIRE(again.size() == 1);
    CHECK(again[0].parts.size() == 2);
    CHECK(again[0].parts[0].iov_base == &again[0].header);
    CHECK(again[0].parts[0].iov_len == 10);
    CHECK(again[0].header.gso_type == VIRTIO_NET_HDR_GSO_NONE);
    CHECK(again[0].header.flags == 0);
}

TEST_CASE("a larger packet begins a new one") {
    for (const auto& spec : {tcp4, udp6}) {
        Flow flow(spec);
        CHECK(sizes({flow.next(100), flow.next(101), flow.next(101)}) == Sizes{1, 2});
    }
}

TEST_CASE("a gap in the sequence ends the large packet, also where it wraps") {
    Flow flow(tcp4);
    std::vector<PacketBytes> packets{flow.next(100), flow.next(100)};
    flow.spec().sequence += 1;
    packets.push_back(flow.next(100));
    CHECK(sizes(packets) == Sizes{2, 1});

    Flow wrapping({.sequence = 0xffffffce});
    CHECK(sizes({wrapping.next(100), wrapping.next(100)}) == Sizes{2});
}

TEST_CASE("retransmitted and reordered segments keep their places") {
    Flow flow(tcp6);
    const auto a = flow.next(100);
    const auto b = flow.next(100);
    const auto c = flow.next(100);
    CHECK(sizes({a, c, b}) == Sizes{1, 1, 1});
    CHECK(sizes({a, b, b, c}) == Sizes{2, 2});
}

TEST_CASE("PSH and FIN end the large packet and are in its header") {
    for (const std::uint8_t flag : {fin, psh}) {
        Flow flow(tcp6);
        std::vector<PacketBytes> packets{flow.next(100)};
        packets.push_back(flow.next(100, [flag](PacketSpec& p) { p.flags = ack | flag; }));
        packets.push_back(flow.next(100));
        packets.push_back(flow.next(100));
        CHECK(sizes(packets) == Sizes{2, 2});
        CHECK(merge(packets)[0].bytes[53] == (ack | flag));
    }
    Flow flow(tcp6);
    std::vector<PacketBytes> packets;
    packets.push_back(flow.next(100, [](PacketSpec& p) { p.flags = ack | psh; }));
    packets.push_back(flow.next(100));
    CHECK(sizes(packets) == Sizes{1, 1}); // nothing is put behind a PSH
}

TEST_CASE("only the first of a large packet may carry CWR, and the kernel is told") {
    Flow flow(tcp4);
    std::vector<PacketBytes> packets;
    packets.push_back(flow.next(100, [](PacketSpec& p) { p.flags = ack | cwr; }));
    packets.push_back(flow.next(100));
    packets.push_back(flow.next(100, [](PacketSpec& p) { p.flags = ack | cwr; }));
    packets.push_back(flow.next(100));
    CHECK(sizes(packets) == Sizes{2, 2});
    CHECK(merge(packets)[0].header.gso_type == (VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN));
}

TEST_CASE("segments that differ in what all segments share are not merged") {
    for (const auto& spec : {tcp4, tcp6}) {
        CHECK(with_changed(spec, [](PacketSpec&) {}) == Sizes{3});
        CHECK(with_changed(spec, [](PacketSpec& p) { ++p.acknowledgment; }) == Sizes{1, 1, 1});
        CHECK(with_changed(spec, [](PacketSpec& p) { ++p.window; }) == Sizes{1, 1, 1});
        CHECK(with_changed(spec, [](PacketSpec& p) { ++p.urgent; }) == Sizes{1, 1, 1});
        CHECK(with_changed(spec, [](PacketSpec& p) { p.flags |= ece; }) == Sizes{1, 1, 1});
        for (const std::uint8_t flag : {syn, rst, urg})
            CHECK(with_changed(spec, [flag](PacketSpec& p) { p.flags |= flag; }) == Sizes{1, 1, 1});
    }
}

TEST_CASE("SYN, RST and URG are never merged, even among themselves") {
    for (const auto& spec : {tcp4, tcp6}) {
        for (const std::uint8_t flag : {syn, rst, urg}) {
            Flow flow(spec);
            flow.spec().flags |= flag;
            CHECK(sizes({flow.next(100), flow.next(100)}) == Sizes{1, 1});
        }
    }
}

TEST_CASE("TTL, TOS and the flow label are compared in full") {
    // Compared wrongly once in wireguard-go (aad7fca, 052af4a).
    for (const auto& spec : {tcp4, tcp6, udp4, udp6}) {
        CHECK(with_changed(spec, [](PacketSpec& p) { --p.ttl; }) == Sizes{1, 1, 1});
        CHECK(with_changed(spec, [](PacketSpec& p) { p.tos = 1; }) == Sizes{1, 1, 1});
        CHECK(with_changed(spec, [](PacketSpec& p) { p.tos = 0x80; }) == Sizes{1, 1, 1});
    }
    for (const std::uint32_t label : {1U, 0x80000U})
        CHECK(with_changed(tcp6, [label](PacketSpec& p) { p.flow_label = label; })
              == Sizes{1, 1, 1});
}

TEST_CASE("packets with IPv4 options are never merged") {
    // wireguard-go once merged them (aad7fca).
    auto spec = tcp4;
    spec.ip_options = {1, 1, 1, 0};
    CHECK(with_changed(spec, [](PacketSpec&) {}) == Sizes{1, 1, 1});
    CHECK(with_changed(tcp4, [](PacketSpec& p) { p.ip_options = {1, 1, 1, 0}; }) == Sizes{1, 1, 1});
}

TEST_CASE("fragments are never merged, and nothing of their flow passes them") {
    for (const std::size_t fragment : {0x2000U, 0x0001U, 0x1f00U, 0x8000U}) {
        for (const auto& spec : {tcp4, udp4}) {
            Flow flow(spec);
            std::vector<PacketBytes> packets;
            for (int i = 0; i < 3; ++i) {
                packets.push_back(flow.next(100));
                set16(packets.back(), 6, fragment);
                complete(packets.back());
            }
            CHECK(sizes(packets) == Sizes{1, 1, 1});
            packets = {flow.next(100), packets[0], flow.next(100)};
            CHECK(sizes(packets) == Sizes{1, 1, 1});
        }
    }
}

TEST_CASE("DF must be the same in all") {
    CHECK(with_changed(tcp4, [](PacketSpec& p) { p.dont_fragment = false; }) == Sizes{1, 1, 1});
}

TEST_CASE("IPv4 ids count up, or stay the same where they mean nothing") {
    const auto merged = [](bool dont_fragment, std::vector<std::uint16_t> ids) {
        Flow flow(udp4);
        flow.spec().dont_fragment = dont_fragment;
        std::vector<PacketBytes> packets;
        for (const auto id : ids)
            packets.push_back(flow.next(100, [id](PacketSpec& p) { p.id = id; }));
        return sizes(std::move(packets));
    };
    for (const bool dont_fragment : {false, true}) {
        CHECK(merged(dont_fragment, {0xfffe, 0xffff, 0, 1}) == Sizes{4});
        CHECK(merged(dont_fragment, {5, 6, 8, 9}) == Sizes{2, 2});
        CHECK(merged(dont_fragment, {5, 6, 6}) == Sizes{2, 1});
        CHECK(merged(dont_fragment, {5, 4}) == Sizes{1, 1});
    }
    CHECK(merged(true, {0, 0, 0, 0}) == Sizes{4});
    CHECK(merged(true, {5, 5, 6}) == Sizes{2, 1});
    CHECK(merged(true, {5, 5, 7}) == Sizes{2, 1});
    CHECK(merged(false, {5, 5}) == Sizes{1, 1});
}

TEST_CASE("TCP options must be the same, bytes and length") {
    const PacketBytes stamp = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    auto spec = tcp6;
    spec.tcp_options = stamp;
    CHECK(with_changed(spec, [](PacketSpec&) {}) == Sizes{3});
    CHECK(with_changed(spec, [](PacketSpec& p) { p.tcp_options[11] ^= 1; }) == Sizes{1, 1, 1});
    CHECK(with_changed(spec, [](PacketSpec& p) { p.tcp_options.clear(); }) == Sizes{1, 1, 1});
}

TEST_CASE("acknowledgments without payload are not merged and keep their place") {
    for (const auto& spec : {tcp4, tcp6}) {
        Flow flow(spec);
        CHECK(sizes({flow.next(0), flow.next(0)}) == Sizes{1, 1});
        CHECK(sizes({flow.next(100), flow.next(0), flow.next(100)}) == Sizes{1, 1, 1});
    }
}

TEST_CASE("several flows are merged at once, each in its order") {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 4; ++port) {
        auto spec = port % 2 == 0 ? tcp4 : udp6;
        spec.source_port = port;
        flows.emplace_back(spec);
    }
    std::vector<PacketBytes> packets;
    for (int i = 0; i < 3; ++i)
        for (auto& flow : flows) packets.push_back(flow.next(100));
    CHECK(sizes(packets) == Sizes{3, 3, 3, 3});
}

TEST_CASE("more flows than there is room for still keep their order") {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 9; ++port) {
        auto spec = tcp4;
        spec.destination_port = port;
        flows.emplace_back(spec);
    }
    std::vector<PacketBytes> packets;
    for (int i = 0; i < 3; ++i)
        for (auto& flow : flows) packets.push_back(flow.next(100));
    CHECK(sizes(packets) == Sizes(27, 1));
}

TEST_CASE("flows that share ports but not addresses or protocol are apart") {
    auto other = udp4;
    other.host = 2;
    Flow a(udp4);
    Flow b(other);
    Flow c(tcp4);
    CHECK(sizes({a.next(100), b.next(100), c.next(100), a.next(100), b.next(100), c.next(100)})
          == Sizes{2, 2, 2});
}

TEST_CASE("flows that share one address are apart") {
    for (const auto& spec : {tcp4, tcp6, udp4, udp6}) {
        Flow flow(spec);
        for (const std::size_t byte : spec.is_v6 ? std::vector<std::size_t>{8, 23, 24, 39}
                                                 : std::vector<std::size_t>{12, 15, 16, 19}) {
            auto other = flow.next(100);
            auto another = flow.next(100);
            other[byte] ^= 1;
            complete(other);
            CHECK(sizes({other, another}) == Sizes{1, 1});
        }
    }
}

TEST_CASE("a packet that was given with its padding passes as it is") {
    for (const auto& spec : {tcp4, tcp6, udp4, udp6}) {
        Flow flow(spec);
        const auto first = flow.next(100);
        auto padded = flow.next(96);
        padded.resize(padded.size() + 4);
        CHECK(sizes({first, padded, flow.next(100)}) == Sizes{1, 1, 1});
    }
}

TEST_CASE("other protocols pass between, and do not end a large packet") {
    Flow flow(tcp4);
    auto echo = Flow(udp4).next(56);
    echo[9] = 1;
    CHECK(sizes({flow.next(100), echo, flow.next(100)}) == Sizes{2, 1});
}

TEST_CASE("extension headers hide a flow, so that nothing passes them") {
    Flow flow(udp6);
    for (const unsigned next : {0U, 43U, 44U, 51U, 60U, 135U}) {
        auto hidden = flow.next(100);
        hidden[6] = static_cast<std::uint8_t>(next);
        CHECK(sizes({flow.next(100), hidden, flow.next(100)}) == Sizes{1, 1, 1});
    }
}

TEST_CASE("at most 64 datagrams are merged") {
    // Kernels refuse more with EINVAL; a batch of wireguard-go may hold 128.
    Flow flow(udp4);
    std::vector<PacketBytes> packets;
    for (int i = 0; i < 130; ++i) packets.push_back(flow.next(20));
    CHECK(sizes(packets) == Sizes{64, 64, 2});
}

TEST_CASE("a merged packet is at most 65535 bytes and IOV_MAX parts") {
    for (const auto& spec : {tcp4, tcp6, udp4, udp6}) {
        Flow flow(spec);
        std::vector<PacketBytes> packets;
        for (int i = 0; i < 50; ++i) packets.push_back(flow.next(1368));
        CHECK(sizes(packets) == Sizes{47, 3});
    }
    Flow flow(tcp6);
    std::vector<PacketBytes> packets;
    for (int i = 0; i < 1100; ++i) packets.push_back(flow.next(1));
    CHECK(sizes(packets) == Sizes{1022, 78});
}

TEST_CASE("UDP without checksum is merged among itself") {
    auto spec = udp4;
    spec.has_checksum = false;
    CHECK(with_changed(spec, [](PacketSpec&) {}) == Sizes{3});
    CHECK(with_changed(spec, [](PacketSpec& p) { p.has_checksum = true; }) == Sizes{1, 1, 1});
    auto v6 = udp6;
    v6.has_checksum = false;
    CHECK(with_changed(v6, [](PacketSpec&) {}) == Sizes{1, 1, 1});
}

TEST_CASE("UDP whose length is not its packet's is left alone") {
    Flow flow(udp6);
    std::vector<PacketBytes> packets;
    for (int i = 0; i < 3; ++i) {
        packets.push_back(flow.next(100));
        set16(packets.back(), 44, 107);
    }
    CHECK(sizes(packets) == Sizes{1, 1, 1});
    CHECK(sizes({flow.next(0), flow.next(0)}) == Sizes{1, 1});
}

TEST_CASE("each kind can be switched off") {
    const auto merged = [](const PacketSpec& spec, const CoalescerOptions& options) {
        Flow flow(spec);
        return sizes({flow.next(100), flow.next(100)}, options).size() == 1;
    };
    for (const bool tcp4_on : {false, true})
        for (const bool tcp6_on : {false, true})
            for (const bool udp_on : {false, true}) {
                const CoalescerOptions options{tcp4_on, tcp6_on, udp_on};
                CHECK(merged(tcp4, options) == tcp4_on);
                CHECK(merged(tcp6, options) == tcp6_on);
                CHECK(merged(udp4, options) == udp_on);
                CHECK(merged(udp6, options) == udp_on);
            }
}

TEST_CASE("a wrong IPv4 header checksum is not repaired by merging") {
    Flow flow(tcp4);
    auto wrong = flow.next(100);
    wrong[10] ^= 1;
    CHECK(sizes({wrong, flow.next(100), flow.next(100)}) == Sizes{1, 2});
}

TEST_CASE("wrong transport checksums are left alone where that is asked for") {
    for (const auto& spec : {tcp4, tcp6, udp4, udp6}) {
        Flow flow(spec);
        auto wrong = flow.next(100);
        wrong.back() ^= 1;
        CHECK(sizes({wrong, flow.next(100)}, {.verify_checksums = true}) == Sizes{1, 1});
        std::vector<PacketBytes> packets{wrong, flow.next(100)};
        packets[1] = flow.next(100);
        CHECK(merge(packets, {.verify_checksums = true}).size() == 2);
    }
    Flow flow(udp4);
    flow.spec().has_checksum = false;
    CHECK(sizes({flow.next(100), flow.next(100)}, {.verify_checksums = true}) == Sizes{2});
}

TEST_CASE("what is no whole packet passes unchanged") {
    Flow flow(tcp4);
    const auto good = flow.next(100);
    for (const std::size_t size : {0U, 1U, 19U, 20U, 25U, 39U, 45U}) {
        PacketBytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(sizes({cut, cut, cut}) == Sizes{1, 1, 1});
        if (size < 20) continue;
        set16(cut, 2, size);
        CHECK(sizes({good, cut, flow.next(100)}) == Sizes{1, 1, 1});
        flow = Flow(tcp4);
        flow.next(100);
    }
}

TEST_CASE("after a refused write the same packets can be written apart") {
    // Tailscale's engine tried again with what the first attempt had left behind (8a294e3).
    Flow flow(udp4);
    std::vector<PacketBytes> packets{flow.next(100), flow.next(100), flow.next(60)};
    const auto originals = packets;
    Coalescer coalescer(8);
    for (auto& packet : packets) coalescer.add(packet);
    REQUIRE(coalescer.finish().size() == 1);
    CHECK(packets == originals);
    coalescer.clear();
    coalescer.set_options({false, false, false});
    for (auto& packet : packets) coalescer.add(packet);
    const auto apart = coalescer.finish();
    REQUIRE(apart.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        REQUIRE(apart[i].parts.size() == 2);
        CHECK(apart[i].header.gso_type == VIRTIO_NET_HDR_GSO_NONE);
        CHECK(apart[i].parts[1].iov_base == packets[i].data());
        CHECK(apart[i].parts[1].iov_len == packets[i].size());
    }
}

TEST_CASE("a coalescer that is full of pairs has room for all their parts") {
    Coalescer coalescer(8);
    std::vector<PacketBytes> packets;
    for (std::uint16_t i = 0; i < 4; ++i) {
        auto spec = udp6;
        spec.source_port = i;
        Flow flow(spec);
        packets.push_back(flow.next(100));
        packets.push_back(flow.next(100));
    }
    for (auto& packet : packets) coalescer.add(packet);
    const auto merged = coalescer.finish();
    REQUIRE(merged.size() == 4);
    for (const auto& super : merged) CHECK(super.parts.size() == 4);
    CHECK(merged[3].parts[3].iov_base == packets[7].data() + 48);
}

TEST_CASE("a full coalescer says so") {
    Coalescer coalescer(2);
    auto packet = Flow(tcp4).next(10);
    coalescer.add(packet);
    CHECK_FALSE(coalescer.is_full());
    coalescer.add(packet);
    CHECK(coalescer.is_full());
    CHECK_THROWS_AS(coalescer.add(packet), std::length_error);
    coalescer.clear();
    CHECK_FALSE(coalescer.is_full());
}
