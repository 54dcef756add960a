#pragma once

#include <deque>
#include <map>
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

/// A state file, read whenever it has changed.
struct StateFile {
    std::string path;
    std::string version; ///< of the file that was read
    std::string problem; ///< why there is no state; empty: there is one
    State state;

    /// True: there is something new.
    bool refresh();
};

class Site {
  public:
    /// `max_age`: from which the monitor counts as dead.
    explicit Site(seconds max_age) : max_age_(max_age) {}

    /// Shows this machine.
    void show_state(std::string path) { files_[""].path = std::move(path); }
    /// Shows a fleet: what hosts told of themselves, as DIR/NODE.state or DIR/NODE.json.
    void show_fleet(std::string folder) { folder_ = std::move(folder); }

    Page get(std::string_view path, std::string_view accept);

  private:
    bool is_fleet() const { return !folder_.empty(); }
    /// Why nothing can be shown; empty: it can.
    std::string refresh();
    void list_folder();
    void remember(const std::string& node, const State& state);
    Page health() const;
    Page metrics(bool open_metrics) const;
    Page history() const;
    /// The peers of all hosts, each with the node that told of it and the node that it is.
    std::string fleet_json() const;

    seconds max_age_;
    std::string folder_;                     ///< empty: this machine alone
    std::map<std::string, StateFile> files_; ///< by node
    std::string json_;                       ///< of a fleet
    /// More looks than the state keeps, for drawings; by node, device and public key.
    std::map<std::string, std::unordered_map<std::string, std::deque<Look>>> history_;
};

} // namespace wgkit::tool::monitor
