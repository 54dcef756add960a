#pragma once

#include "qr/qr.hpp"

namespace wgkit::tool::mesh {

/// Loads what draws QR codes, for the rest of the program's life. Errors: not_found.
Result<const qr::Functions*> load_qr_library();

} // namespace wgkit::tool::mesh
