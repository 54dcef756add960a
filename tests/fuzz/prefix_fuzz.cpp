// A prefix that is read is written in a form that reads as the same, and holds its own address.
#include <cstdlib>

#include "wgkit/ip.hpp"

using namespace wgkit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto prefix = Prefix::parse({reinterpret_cast<const char*>(data), size});
    if (!prefix) return 0;
    const auto again = Prefix::parse(to_string(*prefix));
    if (!again || *again != *prefix) std::abort();
    if (!prefix->contains(prefix->address) || prefix->masked().has_host_bits()) std::abort();
    return 0;
}
