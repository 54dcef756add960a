#pragma once

#include <valgrind/memcheck.h>

#include <cstdio>

#include "wgkit/keys.hpp"

/// What the checks of constant time share.
namespace wgkit::test {

template <class T>
void poison(const T& bytes) {
    VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
}

/// For results that are public: whether keys are equal, a public key.
template <class T>
T& declassify(T& value) {
    VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value);
    return value;
}

inline bool fail(const char* what) {
    std::fprintf(stderr, "ctime: %s\n", what);
    return false;
}

/// The engine's own code around handshakes, macs and the configuration protocol. engine.cpp
bool check_engine();

} // namespace wgkit::test
