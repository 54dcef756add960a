#include "fleet/rollout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <functional>

namespace wgkit::tool::fleet {

namespace {

volatile std::sig_atomic_t was_stopped = 0;

/// From here on a run ends between steps: a wave is kept whole, or goes back whole.
void stop_between_steps() {
    struct sigaction action {};
    action.sa_handler = [](int) { was_stopped = 1; };
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

class Wave {
  public:
    Wave(std::vector<Surveyed*> nodes, Transport& transport, Record& record,
         const FleetOptions& fleet, const RolloutOptions& options, const Report& report)
        : nodes_(std::move(nodes)), transport_(transport), record_(record), fleet_(fleet),
          options_(options), report_(report) {
        for (const auto* node : nodes_) targets_.push_back(node->target);
    }

    /// Whether it is kept.
    bool run() {
        for (const auto* node : nodes_) record_.pending[node->target.name] = "apply";
        if (!save()) return false;
        bool good = check(call("changing", "apply", false), true);
        if (was_stopped != 0) {
            report_.error("stopped");
            good = false;
        }
        good = good && (options_.confirm == 0 || check(call("confirming", "confirm", true), false));
        if (good)
            keep();
        else
            go_back();
        return save() && good;
    }

  private:
    std::vector<Reply> call(const char* what, const char* verb, bool fresh) {
        std::vector<Reply> replies(targets_.size());
        for_each_target(targets_, fleet_.parallel, what, [&](std::size_t i) {
            auto request = nodes_[i]->request(verb);
            request.revoked = record_.revoked;
            request.confirm = std::chrono::seconds(options_.confirm);
            request.patience = std::chrono::seconds(options_.patience);
            if (options_.has_removals) request.removals = options_.removals;
            replies[i] = transport_.call(targets_[i], request, fresh);
        });
        return replies;
    }

    bool check(const std::vector<Reply>& replies, bool with_peers) {
        bool good = true;
        for (std::size_t i = 0; i < replies.size(); ++i) {
            if (!replies[i].is_good()) {
                report_.error(replies[i].error);
                good = false;
                continue;
            }
            const auto& silent = replies[i].answer.silent;
            if (!with_peers || silent.empty()) continue;
            std::vector<std::string> names;
            for (const auto& key : silent) names.push_back(to_string(key));
            report_.error(fmt::format("{}: no answer any more from {}", targets_[i].name,
                                      fmt::join(names, ", ")));
            good = false;
        }
        return good;
    }

    /// From here on nothing takes it back. What a node does not hear of now does no harm.
    void keep() {
        const auto replies = call("keeping", "keep", false);
        for (std::size_t i = 0; i < replies.size(); ++i) {
            record_.pending.erase(targets_[i].name);
            if (!replies[i].is_good())
                report_.warning(replies[i].error.message, "the change is made and confirmed");
            for (const auto& text : replies[i].answer.warnings)
                report_.warning(fmt::format("{}: {}", targets_[i].name, text));
        }
    }

    void go_back() {
        report_.note(fmt::format("taking back: {}", fmt::join(names(), ", ")));
        const auto replies = call("taking back", "undo", false);
        for (std::size_t i = 0; i < replies.size(); ++i) {
            if (replies[i].is_good())
                record_.pending.erase(targets_[i].name);
            else
                report_.warning(replies[i].error.message,
                                fmt::format("the node goes back by itself within {} seconds, or, "
                                            "if it heard of the confirmation, with the next "
                                            "`wgkit fleet apply`",
                                            options_.confirm));
        }
    }

    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& target : targets_) out.push_back(target.name);
        return out;
    }

    bool save() {
        const auto saved = record_.save();
        if (!saved) report_.error(saved.error());
        return saved.has_value();
    }

    std::vector<Surveyed*> nodes_;
    std::vector<Target> targets_;
    Transport& transport_;
    Record& record_;
    const FleetOptions& fleet_;
    const RolloutOptions& options_;
    const Report& report_;
};

} // namespace

Outcome roll_out(std::vector<Surveyed>& nodes, Transport& transport, Record& record,
                 const FleetOptions& fleet, const RolloutOptions& options, const Report& report) {
    std::vector<std::string> names;
    for (const auto& node : nodes) names.push_back(node.target.name);
    const auto waves = wgkit::fleet::plan_waves(names, options.canary, options.wave);
    stop_between_steps();
    Outcome outcome;
    for (const auto& wave : waves) {
        if (outcome.failed || was_stopped != 0) {
            outcome.failed = true;
            outcome.waiting.insert(outcome.waiting.end(), wave.begin(), wave.end());
            continue;
        }
        std::vector<Surveyed*> members;
        for (auto& node : nodes)
            if (std::find(wave.begin(), wave.end(), node.target.name) != wave.end())
                members.push_back(&node);
        const bool kept = Wave(members, transport, record, fleet, options, report).run();
        auto& list = kept ? outcome.done : outcome.undone;
        list.insert(list.end(), wave.begin(), wave.end());
        outcome.failed = !kept;
    }
    return outcome;
}

} // namespace wgkit::tool::fleet
