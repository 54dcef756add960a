#include "wgkit/secret.hpp"

#include <sodium.h>

namespace wgkit {

void wipe(void* data, std::size_t size) noexcept { sodium_memzero(data, size); }

} // namespace wgkit
