#pragma once

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// State files: lines of fields under a heading with a version, and a checksum at the end. A file
/// of ten thousand peers is written and read in milliseconds, which JSON would need many times.
namespace wgkit {

/// Text without what would end a field.
std::string plain(std::string_view text);

/// The text with its checksum.
std::string seal(std::string text);
/// What stands between the heading ("wgkit-monitor-state 1") and the checksum. Errors: invalid
/// (another version, a wrong checksum).
Result<std::string_view> unseal(std::string_view text, std::string_view heading);

/// Lines of fields, separated by tabs.
class FieldWriter {
  public:
    template <class... Fields>
    void line(std::string_view kind, const Fields&... fields) {
        add(kind);
        (field(fields), ...);
        text_ += '\n';
    }
    void begin(std::string_view kind) { add(kind); }
    void end() { text_ += '\n'; }
    template <class T>
    void field(const T& value) {
        text_ += '\t';
        add(value);
    }
    void reserve(std::size_t bytes) { text_.reserve(bytes); }
    std::string& text() { return text_; }

  private:
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
        const std::string_view field = text();
        T value{};
        const auto [end, failure] =
            std::from_chars(field.data(), field.data() + field.size(), value);
        if (failure != std::errc{} || end != field.data() + field.size()) failed_ = true;
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
