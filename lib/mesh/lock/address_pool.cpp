#include "mesh/lock/address_pool.hpp"

#include <algorithm>
#include <array>

namespace wgkit::mesh {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

Bytes bytes_of(const IpAddress& address) {
    Bytes bytes{};
    std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
    return bytes;
}

/// Adds `step` (up to 2^32) to an address; wraps at the end of the address space.
IpAddress advance(const IpAddress& address, std::uint64_t step) {
    Bytes bytes = bytes_of(address);
    for (std::size_t i = address.bits() / 8; i-- > 0 && step != 0; step >>= 8) {
        step += bytes[i];
        bytes[i] = static_cast<std::uint8_t>(step & 0xFF);
    }
    return IpAddress::from_bytes(address.family(), bytes);
}

/// The low 32 bits of the distance from the start of the pool.
std::uint64_t offset_in(const Prefix& pool, const IpAddress& address) {
    std::uint64_t offset = 0;
    const auto start = pool.address.bytes();
    const auto end = address.bytes();
    for (std::size_t i = end.size() - 4; i < end.size(); ++i)
        offset = (offset << 8) + end[i] - start[i];
    return offset & 0xFFFFFFFF;
}

} // namespace

AddressPool::AddressPool(const Prefix& pool)
    : pool_(pool.masked()), next_(pool_.masked().address) {}

bool AddressPool::take(const IpAddress& address) { return used_.insert(address).second; }

bool AddressPool::is_host(const IpAddress& address) const {
    if (!pool_.contains(address)) return false;
    if (pool_.length + 1U >= address.bits()) return true; // /31 and /32: RFC 3021
    if (address == pool_.address) return false;           // IPv6: subnet-router anycast
    return !address.is_v4() || pool_.contains(advance(address, 1));
}

std::optional<IpAddress> AddressPool::allocate() {
    // Everything below next_ is used, so a whole fleet costs one pass.
    for (IpAddress candidate = next_; pool_.contains(candidate);
         candidate = advance(candidate, 1)) {
        if (is_host(candidate) && take(candidate)) {
            next_ = candidate;
            return candidate;
        }
        if (!pool_.contains(advance(candidate, 1)) || advance(candidate, 1) < candidate) break;
    }
    return std::nullopt;
}

std::optional<IpAddress> AddressPool::allocate_like(const IpAddress& like, const Prefix& its_pool) {
    const IpAddress twin = advance(pool_.address, offset_in(its_pool.masked(), like));
    if (is_host(twin) && take(twin)) return twin;
    return allocate();
}

} // namespace wgkit::mesh
