#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

/// The text that Prometheus scrapes.
namespace wgkit::monitor {

/// A label's value, quoted inside.
std::string escaped(std::string_view text);

/// Families one after the other, each with its head.
class Exposition {
  public:
    /// `expected`: bytes, so that a large text does not move while it grows.
    explicit Exposition(bool open_metrics, std::size_t expected = 0) : open_metrics_(open_metrics) {
        text_.reserve(expected);
    }

    void family(std::string_view name, std::string_view type, std::string_view help);
    /// A sample whose labels come in parts.
    template <class Value>
    void sample(std::initializer_list<std::string_view> labels, const Value& value) {
        text_ += name_;
        for (const auto part : labels) text_ += part;
        const fmt::format_int number(value);
        text_ += ' ';
        text_.append(number.data(), number.size());
        text_ += '\n';
    }
    template <class Value>
    void sample(std::string_view labels, const Value& value) {
        sample({labels}, value);
    }
    std::string take();

  private:
    bool open_metrics_;
    std::string_view name_;
    std::string text_;
};

} // namespace wgkit::monitor
