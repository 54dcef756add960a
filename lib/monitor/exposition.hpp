#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "wgkit/files.hpp"

/// The text that Prometheus scrapes.
namespace wgkit::monitor {

/// A label's value, quoted inside.
std::string escaped(std::string_view text);

/// Families one after the other, each with its head.
class Exposition {
  public:
    /// `to` must outlive it.
    Exposition(const files::Sink& to, bool open_metrics) : to_(to), open_metrics_(open_metrics) {}

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
        if (text_.size() >= piece_bytes) flush();
    }
    template <class Value>
    void sample(std::string_view labels, const Value& value) {
        sample({labels}, value);
    }
    void end();

  private:
    static constexpr std::size_t piece_bytes = std::size_t{64} << 10;

    void flush();

    const files::Sink& to_;
    bool open_metrics_;
    std::string_view name_;
    std::string text_;
};

} // namespace wgkit::monitor
