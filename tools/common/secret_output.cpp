#include "common/secret_output.hpp"

#include <cstdio>

namespace wgkit::tool {

void print(const SecretString& text) {
    std::setvbuf(stdout, nullptr, _IONBF, 0);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace wgkit::tool
