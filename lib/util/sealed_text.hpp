#pragma once

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "wgkit/files.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// State files: lines of fields under a heading with a version, and a checksum at the end. A file
/// of ten thousand peers is written and read in milliseconds, which JSON would need many times.
namespace wgkit {

/// Text without what would end a field.
std::string plain(std::string_view text);

/// What stands between the heading ("wgkit-monitor-state 2") and the checksum. Errors: invalid
/// (another version, a wrong checksum).
Result<std::string_view> unseal(std::string_view text, std::string_view heading);

class Checksum;

/// Writes lines of fields, separated by tabs, and seals them.
class FieldWriter {
  public:
    /// Begins with the heading. `to` must outlive the writer.
    FieldWriter(const files::Sink& to, std::string_view heading);
    FieldWriter(const FieldWriter&) = delete;
    FieldWriter& operator=(const FieldWriter&) = delete;
    ~FieldWriter();

    template <class... Fields>
    void line(std::string_view kind, const Fields&... fields) {
        add(kind);
        (field(fields), ...);
        end();
    }
    void begin(std::string_view kind) { add(kind); }
    void end() {
        text_ += '\n';
        if (text_.size() >= piece_bytes) flush();
    }
    template <class T>
    void field(const T& value) {
        text_ += '\t';
        add(value);
    }
    /// The last line: the checksum of all before it.
    void seal();

  private:
    static constexpr std::size_t piece_bytes = std::size_t{64} << 10;
    void flush();
    void add(std::string_view value) { text_ += value; }
    void add(const std::string& value) { text_ += value; }
    void add(bool value) { text_ += value ? '1' : '0'; }
    void add(std::chrono::milliseconds value) { add(static_cast<std::int64_t>(value.count())); }
    template <class T>
    requires std::is_integral_v<T>
    void add(T value) {
        const fmt::format_int number(value);
        text_.append(number.data(), number.size());
    }

    const files::Sink& to_;
    std::unique_ptr<Checksum> sum_;
    std::string text_;
};

/// The fields of one line; the first that is not what it should be makes it fail.
class FieldReader {
  public:
    explicit FieldReader(std::string_view line) : rest_(line) {}

    std::string_view text() {
        if (done_) {
            failed_ = true;
            return {};
        }
        const std::size_t end = rest_.find('\t');
        const std::string_view field = rest_.substr(0, end);
        done_ = end == std::string_view::npos;
        if (!done_) rest_.remove_prefix(end + 1);
        return field;
    }
    template <class T>
    T number() {
        T value{};
        const char* const last = rest_.data() + rest_.size();
        const auto [end, failure] = std::from_chars(rest_.data(), last, value);
        const bool is_whole = end == last || *end == '\t';
        if (done_ || failure != std::errc{} || !is_whole) {
            failed_ = true;
            return value;
        }
        done_ = end == last;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()) + (done_ ? 0 : 1));
        return value;
    }
    std::chrono::milliseconds time() { return std::chrono::milliseconds(number<std::int64_t>()); }
    bool flag() { return number<unsigned>() != 0; }
    template <class E>
    E choice(std::size_t count) {
        const auto value = number<std::size_t>();
        if (value >= count) failed_ = true;
        return static_cast<E>(value < count ? value : 0);
    }
    PublicKey key() {
        const auto key = PublicKey::parse(text());
        if (!key) failed_ = true;
        return key ? *key : PublicKey{};
    }
    bool more() const { return !done_; }
    bool failed() const { return failed_; }

  private:
    std::string_view rest_;
    bool done_ = false;
    bool failed_ = false;
};

} // namespace wgkit
