#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

/// The text that Prometheus scrapes.
namespace wgkit::monitor {

/// A label's value, quoted inside.
std::string escaped(std::string_view text);

/// Families one after the other, each with its head.
class Exposition {
  public:
    explicit Exposition(bool open_metrics) : open_metrics_(open_metrics) {}

    void family(std::string_view name, std::string_view type, std::string_view help);
    template <class Value>
    void sample(std::string_view labels, const Value& value) {
        fmt::format_to(std::back_inserter(text_), "{}{} {}\n", name_, labels, value);
    }
    std::string take();

  private:
    bool open_metrics_;
    std::string_view name_;
    fmt::memory_buffer text_;
};

} // namespace wgkit::monitor
