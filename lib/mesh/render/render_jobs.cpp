#include "mesh/render/render_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "mesh/render/render.hpp"
#include "util/parallel.hpp"

namespace wgkit::mesh {

namespace {

/// Renders single jobs; one for each thread.
class Renderer {
  public:
    Renderer(const Fleet& fleet, const std::vector<NetworkSecrets>& secrets,
             const std::vector<PeerTexts>& texts, std::optional<Format> format,
             const FileSink& sink)
        : fleet_(fleet), secrets_(secrets), texts_(texts), format_(format), sink_(sink),
          pair_keys_(fleet.plans.size()) {
        for (std::size_t k = 0; k < pair_keys_.size(); ++k)
            if (secrets_[k].master)
                pair_keys_[k].emplace(*secrets_[k].master, fleet_.inventory.networks[k].name.value);
    }

    Result<void> render(const RenderJob& job, RenderJobResult& result) {
        auto& keys = pair_keys_[job.network];
        const auto view = make_view(fleet_.plans[job.network], job.node, secrets_[job.network],
                                    keys ? &*keys : nullptr);
        if (!view) return view.error();
        result.peers = view->peers.size();
        for (const auto& peer : view->peers)
            if (peer.keepalive != 0) result.keepalives_per_second += 1.0 / peer.keepalive;
        const Format format = format_.value_or(view->node().format.value);
        for (const auto& file : render_node(*view, texts_[job.network], format)) {
            auto put = sink_(fmt::format("{}/{}", view->node().name.value, file.path), file.content,
                             file.mode);
            if (!put) return std::move(put).error();
            result.files.push_back(std::move(*put));
        }
        return {};
    }

  private:
    const Fleet& fleet_;
    const std::vector<NetworkSecrets>& secrets_;
    const std::vector<PeerTexts>& texts_; ///< by network
    std::optional<Format> format_;
    const FileSink& sink_;
    std::vector<std::optional<PairKeys>> pair_keys_; ///< by network
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
    const std::vector<PeerTexts> texts(fleet.plans.begin(), fleet.plans.end());
    std::vector<RenderJobResult> results(jobs.size());
    std::mutex mutex; // guards `done` and the caller's progress
    std::size_t done = 0;
    const auto make_worker = [&]() -> Worker {
        // Shared, because std::function copies what it holds.
        auto renderer = std::make_shared<Renderer>(fleet, secrets, texts, options.format, sink);
        return [&, renderer](std::size_t index) -> Result<void> {
            auto rendered = renderer->render(jobs[index], results[index]);
            if (!rendered || !options.progress) return rendered;
            const std::lock_guard lock(mutex);
            options.progress(++done, jobs.size());
            return {};
        };
    };
    if (auto all = parallel_for(jobs.size(), options.threads, make_worker); !all)
        return std::move(all).error();
    return results;
}

} // namespace wgkit::mesh
