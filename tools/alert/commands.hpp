#pragma once

#include "common/app.hpp"

namespace wgkit::tool::alert {

Action send(Arguments arguments);
Action test(Arguments arguments);
Action flush(Arguments arguments);
Action list(Arguments arguments);
Action silence(Arguments arguments);

} // namespace wgkit::tool::alert
