#include "support/vectors.hpp"

namespace wgkit::test {

std::string vector_path(const std::string& name) { return WGKIT_TEST_VECTORS "/" + name; }

} // namespace wgkit::test
