// Steps of `wgkit net rotate` on this node. Preshared keys go there by a file that only root reads.
#include <fmt/format.h>
#include <unistd.h>

#include "fleet/node.hpp"
#include "util/child.hpp"
#include "util/own_program.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeAnswer;
using wgkit::fleet::NodeRequest;

namespace {

constexpr auto rotate_patience = std::chrono::minutes(30);
constexpr std::size_t rotate_output = std::size_t{1} << 20;

/// A file that goes when this goes.
class KeyFile {
  public:
    Result<void> write(const std::string& interface, std::string_view keys) {
        constexpr const char* place = "/run/wgkit/fleet";
        if (auto made = files::make_folders(place, 0700); !made) return made;
        path = fmt::format("{}/{}.psk", place, interface);
        return files::replace(path, keys, 0600);
    }
    KeyFile() = default;
    KeyFile(const KeyFile&) = delete;
    KeyFile& operator=(const KeyFile&) = delete;
    ~KeyFile() {
        if (!path.empty()) ::unlink(path.c_str());
    }

    std::string path;
};

/// A rotation that is under way is told as a difference.
bool is_rotating(const std::string& interface) {
    const auto ran =
        run_child({own_program("wgkit-net"), "rotate", "status", interface}, {}, rotate_patience);
    return !ran || ran->status != 0;
}

} // namespace

void do_rotate(const NodeRequest& request, NodeAnswer& answer) {
    // words: the step, then what `wgkit net rotate STEP IF` takes; files: the interface, with lines
    // of public and preshared keys.
    if (request.files.size() != 1 || request.words.empty()) {
        answer.error = Error{Errc::invalid, "rotate takes one interface and a step", {}};
        return;
    }
    const auto& file = request.files.front();
    const auto& step = request.words.front();
    if (step == "run" && !is_rotating(file.interface)) return; // done, for a run that was killed
    std::vector<std::string> words{own_program("wgkit-net"), "rotate", step, file.interface};
    words.insert(words.end(), request.words.begin() + 1, request.words.end());
    std::string offers;
    if (step == "accept" && request.words.size() > 1) { // the last word, by standard input
        offers = words.back();
        words.pop_back();
        words.emplace_back("-");
    }
    KeyFile keys;
    if (!file.config.empty()) {
        if (auto written = keys.write(file.interface, file.config); !written) {
            answer.error = written.error();
            return;
        }
        words.emplace_back("--preshared-key");
        words.push_back(keys.path);
    }
    auto ran = run_child(words, offers, rotate_patience, rotate_output);
    if (!ran) {
        answer.error = ran.error();
        return;
    }
    answer.output = std::move(ran->output);
    // A rotation that is under way is told as a difference.
    if (ran->status == 0 || (step == "status" && ran->status == 2)) return;
    answer.error =
        Error{Errc::system, fmt::format("wgkit net rotate {}: {}", step, ran->errors), {}};
}

} // namespace wgkit::tool::fleet
