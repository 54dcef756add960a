#include <png.h>

#include <csetjmp>
#include <memory>

#include "qr/qr.hpp"

namespace wgkit::qr {

namespace {

constexpr std::size_t quiet = 4;
constexpr std::size_t scale = 8; ///< pixels a module

void append(png_structp png, png_bytep data, png_size_t size) {
    auto* text = static_cast<SecretString*>(png_get_io_ptr(png));
    text->append(reinterpret_cast<const char*>(data), size);
}

void no_flush(png_structp) {}

struct Writer {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;

    Writer() = default;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { png_destroy_write_struct(&png, &info); }
};

using Row = std::vector<png_byte, WipingAllocator<png_byte>>;

/// One row of pixels, eight a byte: 0 is black.
Row row_of(const Code& code, std::size_t y) {
    const std::size_t size = code.side + 2 * quiet;
    static_assert(scale == 8, "a module is a byte");
    Row row(size, 0xFF);
    for (std::size_t x = 0; x < size; ++x)
        if (code.dark(x - quiet, y - quiet)) row[x] = 0;
    return row;
}

} // namespace

Result<SecretString> to_png(const Code& code) {
    const std::size_t size = code.side + 2 * quiet;
    // Everything with a destructor is made before setjmp: libpng reports by longjmp.
    SecretString text;
    std::vector<Row> rows;
    for (std::size_t y = 0; y < size; ++y) rows.push_back(row_of(code, y));
    Writer writer;
    if (writer.info == nullptr) return Error{Errc::system, "libpng cannot start", {}};
    if (setjmp(png_jmpbuf(writer.png)) != 0) return Error{Errc::system, "libpng failed", {}};
    png_set_write_fn(writer.png, &text, append, no_flush);
    const auto pixels = static_cast<png_uint_32>(size * scale);
    png_set_IHDR(writer.png, writer.info, pixels, pixels, 1, PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer.png, writer.info);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < scale; ++i) png_write_row(writer.png, row.data());
    png_write_end(writer.png, nullptr);
    return text;
}

} // namespace wgkit::qr
