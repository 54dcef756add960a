#include "engine/allowed_ips.hpp"

#include <algorithm>
#include <map>
#include <random>

#include "support/catch.hpp"

using namespace wgkit;
using engine::AllowedIps;
using engine::AllowedIpsOwner;

namespace {

Prefix prefix(const char* text) { return *Prefix::parse(text); }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }

/// The same by looking at every prefix.
class Linear {
  public:
    void insert(const Prefix& prefix, const AllowedIpsOwner& owner) {
        owners_[prefix.masked()] = &owner;
    }
    void remove(const Prefix& prefix, const AllowedIpsOwner& owner) {
        const auto found = owners_.find(prefix.masked());
        if (found != owners_.end() && found->second == &owner) owners_.erase(found);
    }
    const AllowedIpsOwner* find(const IpAddress& address) const {
        const AllowedIpsOwner* best = nullptr;
        int length = -1;
        for (const auto& [prefix, owner] : owners_)
            if (int{prefix.length} > length && prefix.contains(address)) {
                best = owner;
                length = prefix.length;
            }
        return best;
    }
    std::vector<Prefix> of(const AllowedIpsOwner& owner) const {
        std::vector<Prefix> all;
        for (const auto& [prefix, other] : owners_)
            if (other == &owner) all.push_back(prefix);
        return all;
    }

  private:
    std::map<Prefix, const AllowedIpsOwner*> owners_;
};

} // namespace

TEST_CASE("the longest prefix wins") {
    AllowedIps ips;
    AllowedIpsOwner a;
    AllowedIpsOwner b;
    AllowedIpsOwner c;
    ips.insert(prefix("0.0.0.0/0"), a);
    ips.insert(prefix("10.0.0.0/8"), b);
    ips.insert(prefix("10.1.2.3/32"), c);
    CHECK(ips.find(ip("192.0.2.1")) == &a);
    CHECK(ips.find(ip("10.9.9.9")) == &b);
    CHECK(ips.find(ip("10.1.2.3")) == &c);
    CHECK(ips.find(ip("10.1.2.2")) == &b);
    CHECK(ips.find(ip("::1")) == nullptr);
    ips.insert(prefix("::/0"), c);
    CHECK(ips.find(ip("2001:db8::1")) == &c);
}

TEST_CASE("a prefix belongs to whoever got it last") {
    AllowedIps ips;
    AllowedIpsOwner a;
    AllowedIpsOwner b;
    ips.insert(prefix("10.0.0.0/24"), a);
    ips.insert(prefix("10.0.0.77/24"), b); // host bits do not count
    CHECK(ips.find(ip("10.0.0.1")) == &b);
    CHECK(ips.of(a).empty());
    CHECK(ips.of(b) == std::vector{prefix("10.0.0.0/24")});
    ips.remove(prefix("10.0.0.0/24"), a); // not a's
    CHECK(ips.find(ip("10.0.0.1")) == &b);
    ips.remove(prefix("10.0.0.0/24"), b);
    CHECK(ips.find(ip("10.0.0.1")) == nullptr);
    CHECK(ips.empty());
}

TEST_CASE("prefixes are listed in the order they came") {
    AllowedIps ips;
    AllowedIpsOwner a;
    const std::vector all = {prefix("10.0.0.9/32"), prefix("::/0"), prefix("10.0.0.1/32"),
                             prefix("0.0.0.0/0")};
    for (const auto& one : all) ips.insert(one, a);
    ips.insert(all[0], a); // again: stays where it is
    CHECK(ips.of(a) == all);
    ips.remove_all(a);
    CHECK(ips.empty());
}

TEST_CASE("random prefixes agree with a linear search") {
    std::mt19937 random(11);
    std::vector<AllowedIpsOwner> owners(20);
    AllowedIps ips;
    Linear model;
    // Few bits vary, so that prefixes meet; half of the addresses are IPv6.
    const auto address = [&] {
        std::array<std::uint8_t, 16> bytes{};
        const bool v4 = random() % 2 == 0;
        bytes[0] = 10;
        for (unsigned i = 1; i < (v4 ? 4U : 16U); ++i)
            bytes[i] = static_cast<std::uint8_t>(random() & random() & 3U);
        return IpAddress::from_bytes(v4 ? Family::ipv4 : Family::ipv6,
                                     std::span(bytes).first(v4 ? 4 : 16));
    };
    for (int step = 0; step < 3000; ++step) {
        AllowedIpsOwner& owner = owners[random() % owners.size()];
        const IpAddress base = address();
        const Prefix one{base, static_cast<std::uint8_t>(random() % (base.bits() + 1))};
        switch (random() % 8) {
        case 0:
            if (const auto has = model.of(owner); !has.empty()) {
                const Prefix gone = has[random() % has.size()];
                model.remove(gone, owner);
                ips.remove(gone, owner);
            }
            break;
        case 1:
            model.remove(one, owner);
            ips.remove(one, owner);
            break;
        case 2:
            if (random() % 20 != 0) break;
            for (const auto& gone : model.of(owner)) model.remove(gone, owner);
            ips.remove_all(owner);
            break;
        default:
            model.insert(one, owner);
            ips.insert(one, owner);
        }
        for (int look = 0; look < 34; ++look) { // 100,000 in all
            const IpAddress wanted = address();
            REQUIRE(ips.find(wanted) == model.find(wanted));
        }
    }
    for (const auto& owner : owners) {
        auto listed = ips.of(owner);
        std::sort(listed.begin(), listed.end());
        auto expected = model.of(owner);
        std::sort(expected.begin(), expected.end());
        CHECK(listed == expected);
    }
}
