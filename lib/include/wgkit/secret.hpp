#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "wgkit/export.hpp"

namespace wgkit {

/// Overwrites memory in a way the compiler keeps.
WGKIT_API void wipe(void* data, std::size_t size) noexcept;

/// Allocator that wipes what it gives back.
template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    /// All of them are alike.
    template <class U>
    WipingAllocator(const WipingAllocator<U>&) noexcept {}

    /// Memory as std::allocator gives it.
    T* allocate(std::size_t n) { return std::allocator<T>{}.allocate(n); }
    /// Wipes the memory, then gives it back.
    void deallocate(T* p, std::size_t n) noexcept {
        wipe(p, n * sizeof(T));
        std::allocator<T>{}.deallocate(p, n);
    }
    bool operator==(const WipingAllocator&) const = default;
};

/// Text that holds secrets, e.g. a config file with its private key. Wiped when it grows or dies;
/// up to 15 characters live in the object itself and are not.
using SecretString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

} // namespace wgkit
