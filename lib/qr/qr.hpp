#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// QR codes (ISO/IEC 18004) of texts that hold secrets. A library of its own, loaded at run time:
/// what draws no code loads neither libqrencode nor libpng.
namespace wgkit::qr {

/// The most bytes a code can hold, at the lowest level of error correction.
inline constexpr std::size_t max_bytes = 2953;

/// A square of modules, without the quiet zone.
struct Code {
    std::size_t side = 0;
    char level = 'L'; ///< of error correction: L, M, Q or H
    std::vector<std::uint8_t, WipingAllocator<std::uint8_t>> modules; ///< 1 is dark; by rows

    bool dark(std::size_t x, std::size_t y) const {
        return x < side && y < side && modules[y * side + x] != 0;
    }
};

/// The smallest code for the text, with as much error correction as its size has room for.
/// Errors: invalid with the size if it fits in no code.
Result<Code> encode(std::string_view text);

/// Two modules a character, black on white whatever the colours of the terminal are.
SecretString to_terminal(const Code& code);
SecretString to_svg(const Code& code);
/// One bit a pixel. Errors: system.
Result<SecretString> to_png(const Code& code);

/// The functions above, as who loads the library finds them.
struct Functions {
    Result<Code> (*encode)(std::string_view text);
    SecretString (*to_terminal)(const Code& code);
    SecretString (*to_svg)(const Code& code);
    Result<SecretString> (*to_png)(const Code& code);
};

} // namespace wgkit::qr

extern "C" WGKIT_API const wgkit::qr::Functions wgkit_qr;
