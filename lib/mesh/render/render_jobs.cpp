#include "mesh/render/render_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "mesh/render/render.hpp"

namespace wgkit::mesh {

namespace {

class Workers {
  public:
    Workers(const Fleet& fleet, const std::vector<NetworkSecrets>& secrets,
            const RenderOptions& options, const std::vector<RenderJob>& jobs, const FileSink& sink)
        : fleet_(fleet), secrets_(secrets), options_(options), jobs_(jobs), sink_(sink),
          results_(jobs.size()) {
        for (const auto& plan : fleet.plans) texts_.emplace_back(plan);
    }

    Result<std::vector<RenderJobResult>> run() {
        const unsigned wanted =
            options_.threads != 0 ? options_.threads : std::thread::hardware_concurrency();
        {
            std::vector<std::jthread> threads;
            for (unsigned t = 1; t < std::min<std::size_t>(wanted, jobs_.size()); ++t)
                threads.emplace_back([this] { work(); });
            work();
        }
        if (failure_) return *failure_;
        return std::move(results_);
    }

  private:
    void work() {
        std::vector<std::optional<PairKeys>> pair_keys(fleet_.plans.size());
        for (std::size_t k = 0; k < pair_keys.size(); ++k)
            if (secrets_[k].master)
                pair_keys[k].emplace(*secrets_[k].master, fleet_.inventory.networks[k].name.value);
        while (!failed_) {
            const std::size_t index = next_++;
            if (index >= jobs_.size()) return;
            auto& keys = pair_keys[jobs_[index].network];
            auto done = do_job(index, keys ? &*keys : nullptr);
            const std::lock_guard lock(mutex_);
            if (!done && !failure_) failure_ = std::move(done).error();
            failed_ = failure_.has_value();
            if (options_.progress) options_.progress(++done_, jobs_.size());
        }
    }

    Result<void> do_job(std::size_t index, PairKeys* pair_keys) {
        const auto& [network, node] = jobs_[index];
        const auto view = make_view(fleet_.plans[network], node, secrets_[network], pair_keys);
        if (!view) return view.error();
        RenderJobResult& result = results_[index];
        result.peers = view->peers.size();
        for (const auto& peer : view->peers)
            if (peer.keepalive != 0) result.keepalives_per_second += 1.0 / peer.keepalive;
        const Format format = options_.format.value_or(view->node().format.value);
        for (const auto& file : render_node(*view, texts_[network], format)) {
            auto put = sink_(fmt::format("{}/{}", view->node().name.value, file.path), file.content,
                             file.mode);
            if (!put) return std::move(put).error();
            result.files.push_back(std::move(*put));
        }
        return {};
    }

    const Fleet& fleet_;
    const std::vector<NetworkSecrets>& secrets_;
    const RenderOptions& options_;
    const std::vector<RenderJob>& jobs_;
    const FileSink& sink_;
    std::vector<PeerTexts> texts_; ///< by network

    std::atomic<std::size_t> next_ = 0;
    std::atomic<bool> failed_ = false;
    std::vector<RenderJobResult> results_; ///< each worker writes its own jobs' only
    std::mutex mutex_;                     ///< guards what follows
    std::optional<Error> failure_;
    std::size_t done_ = 0;
};

} // namespace

bool has_files(const Plan& plan, NodeIndex node) {
    return plan.member(node).active && plan.member(node).node->managed;
}

Result<std::vector<RenderJob>> list_jobs(const Fleet& fleet, const std::vector<std::string>& only) {
    std::vector<RenderJob> jobs;
    std::vector<std::string> unknown = only;
    for (std::size_t k = 0; k < fleet.plans.size(); ++k) {
        const Plan& plan = fleet.plans[k];
        for (NodeIndex i = 0; i < plan.size(); ++i) {
            const std::string& name = plan.member(i).node->name.value;
            const bool named = std::find(only.begin(), only.end(), name) != only.end();
            if (named) std::erase(unknown, name);
            if (has_files(plan, i) && (only.empty() || named)) jobs.push_back({k, i});
        }
    }
    if (!unknown.empty())
        return Error{Errc::not_found,
                     fmt::format("{} has no node '{}'", fleet.paths.nodes, unknown.front()),
                     {}};
    return jobs;
}

Result<std::vector<RenderJobResult>>
run_jobs(const Fleet& fleet, const std::vector<NetworkSecrets>& secrets,
         const RenderOptions& options, const std::vector<RenderJob>& jobs, const FileSink& sink) {
    return Workers(fleet, secrets, options, jobs, sink).run();
}

} // namespace wgkit::mesh
