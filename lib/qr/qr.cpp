#include "qr/qr.hpp"

#include <fmt/format.h>
#include <qrencode.h>

#include <cerrno>
#include <iterator>
#include <memory>

namespace wgkit::qr {

namespace {

/// White modules around a code, as the standard asks.
constexpr std::size_t quiet = 4;

struct FreeCode {
    void operator()(QRcode* code) const {
        wipe(code->data,
             static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width));
        QRcode_free(code);
    }
};
using RawCode = std::unique_ptr<QRcode, FreeCode>;

RawCode encode_at(std::string_view text, int version, QRecLevel level) {
    return RawCode(QRcode_encodeData(static_cast<int>(text.size()),
                                     reinterpret_cast<const unsigned char*>(text.data()), version,
                                     level));
}

} // namespace

Result<Code> encode(std::string_view text) {
    constexpr std::pair<QRecLevel, char> levels[] = {
        {QR_ECLEVEL_M, 'M'}, {QR_ECLEVEL_Q, 'Q'}, {QR_ECLEVEL_H, 'H'}};
    RawCode best =
        text.empty() || text.size() > max_bytes ? nullptr : encode_at(text, 0, QR_ECLEVEL_L);
    if (best == nullptr)
        return Error{Errc::invalid,
                     fmt::format("{} bytes do not fit in a QR code, which holds {} at most",
                                 text.size(), max_bytes),
                     {}};
    Code code;
    // A higher level that needs no larger code costs nothing.
    for (const auto& [level, name] : levels) {
        RawCode stronger = encode_at(text, best->version, level);
        if (stronger == nullptr || stronger->version != best->version) break;
        best = std::move(stronger);
        code.level = name;
    }
    code.side = static_cast<std::size_t>(best->width);
    code.modules.resize(code.side * code.side);
    for (std::size_t i = 0; i < code.modules.size(); ++i) code.modules[i] = best->data[i] & 1U;
    return code;
}

SecretString to_terminal(const Code& code) {
    // Both colours are given: a code in the terminal's own ones is inverted on a dark one, and few
    // readers take that.
    constexpr std::string_view colours = "\033[38;5;16;48;5;231m";
    constexpr std::string_view blocks[] = {" ", "\u2580", "\u2584", "\u2588"}; // upper, lower, both
    SecretString text;
    const std::size_t size = code.side + 2 * quiet;
    for (std::size_t y = 0; y < size; y += 2) {
        text += colours;
        for (std::size_t x = 0; x < size; ++x) {
            // Unsigned: what lies before the code wraps around and is light.
            const bool upper = code.dark(x - quiet, y - quiet);
            const bool lower = code.dark(x - quiet, y + 1 - quiet);
            text += blocks[(upper ? 1 : 0) + (lower ? 2 : 0)];
        }
        text += "\033[0m\n";
    }
    return text;
}

SecretString to_svg(const Code& code) {
    const std::size_t size = code.side + 2 * quiet;
    SecretString text;
    fmt::format_to(std::back_inserter(text),
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{0}\" "
                   "viewBox=\"0 0 {1} {1}\" shape-rendering=\"crispEdges\">\n"
                   "<rect width=\"{1}\" height=\"{1}\" fill=\"#fff\"/>\n<path d=\"",
                   size * 8, size);
    for (std::size_t y = 0; y < code.side; ++y) {
        for (std::size_t x = 0; x < code.side;) {
            std::size_t run = 0;
            while (code.dark(x + run, y)) ++run;
            if (run != 0)
                fmt::format_to(std::back_inserter(text), "M{} {}h{}v1h-{}z", x + quiet, y + quiet,
                               run, run);
            x += run + 1;
        }
    }
    text += "\"/>\n</svg>\n";
    return text;
}

} // namespace wgkit::qr

extern "C" const wgkit::qr::Functions wgkit_qr{wgkit::qr::encode, wgkit::qr::to_terminal,
                                               wgkit::qr::to_svg, wgkit::qr::to_png};
