#include "mesh/qr_library.hpp"

#include "common/loaded.hpp"

namespace wgkit::tool::mesh {

Result<const qr::Functions*> load_qr_library() {
    const auto found = load_symbol(WGKIT_QR_LIBRARY, "wgkit_qr", "draw QR codes");
    if (!found) return found.error();
    return static_cast<const qr::Functions*>(*found);
}

} // namespace wgkit::tool::mesh
