#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "wgkit/monitor_formats.hpp"

/// What `wgkit monitor serve` answers, without HTTP around it.
namespace wgkit::tool::monitor {

using namespace wgkit::monitor;

struct Page {
    int status = 200;
    std::string_view type = "text/plain; charset=utf-8";
    std::string body;
};

class Site {
  public:
    /// Reads the state file whenever it has changed. `max_age`: from which the monitor counts as
    /// dead.
    Site(std::string state_path, seconds max_age)
        : path_(std::move(state_path)), max_age_(max_age) {}

    Page get(std::string_view path, std::string_view accept);

  private:
    /// Why there is no state; empty: there is one.
    std::string refresh();
    void remember();
    Page health() const;
    Page metrics(bool open_metrics) const;
    Page history() const;

    std::string path_;
    seconds max_age_;
    std::string version_; ///< of the file that was read
    std::string problem_;
    State state_;
    /// More looks than the state keeps, for drawings.
    std::unordered_map<std::string, std::deque<Look>> history_;
};

} // namespace wgkit::tool::monitor
