#pragma once

#include <string_view>

namespace wgkit::tool::monitor {

/// The files of page/.
extern const std::string_view page_html, page_css, page_js;

} // namespace wgkit::tool::monitor
