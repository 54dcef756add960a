// The render operation: keys, lock, files, manifest, in this order, so that a run killed at any
// point leaves nothing that the next one cannot complete.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "mesh/custody.hpp"
#include "mesh/output_tree.hpp"
#include "mesh/render.hpp"
#include "util/unique_fd.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::mesh {

namespace {

/// One node whose files are to be written.
struct Job {
    std::size_t network;
    NodeIndex node;
};

struct JobResult {
    std::vector<OutputTree::Put> files;
    std::size_t peers = 0;
    double keepalives_per_second = 0;
};

/// Only one wgkit at a time may change a fleet's lock and keys.
Result<UniqueFd> guard(const Fleet& fleet) {
    UniqueFd fd(::open(fleet.paths.nodes.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return Error{Errc::conflict,
                     fmt::format("another wgkit is at work on {}", fleet.paths.nodes),
                     "wait until it is done"};
    auto lock = files::read(fleet.paths.lock);
    if ((lock ? std::string_view(*lock) : std::string_view()) != fleet.lock_text)
        return Error{Errc::conflict, fmt::format("{} has just changed", fleet.paths.lock),
                     "run the command again"};
    return fd;
}

Result<std::vector<Job>> list_jobs(const Fleet& fleet, const std::vector<std::string>& only) {
    std::vector<Job> jobs;
    std::vector<std::string> unknown = only;
    for (std::size_t k = 0; k < fleet.plans.size(); ++k) {
        const Plan& plan = fleet.plans[k];
        for (NodeIndex i = 0; i < plan.size(); ++i) {
            const Node& node = *plan.member(i).node;
            const bool named = std::find(only.begin(), only.end(), node.name.value) != only.end();
            if (named) std::erase(unknown, node.name.value);
            if (plan.member(i).active && node.managed && (only.empty() || named))
                jobs.push_back({k, i});
        }
    }
    if (!unknown.empty())
        return Error{Errc::not_found,
                     fmt::format("{} has no node '{}'", fleet.paths.nodes, unknown.front()),
                     {}};
    return jobs;
}

/// Renders and writes nodes on several threads; results are in the order of the jobs.
class Workers {
  public:
    Workers(const Fleet& fleet, const std::vector<NetworkSecrets>& secrets, const OutputTree& tree,
            const RenderOptions& options, const std::vector<Job>& jobs)
        : fleet_(fleet), secrets_(secrets), tree_(tree), options_(options), jobs_(jobs),
          results_(jobs.size()) {
        for (const auto& plan : fleet.plans) texts_.emplace_back(plan);
    }

    Result<std::vector<JobResult>> run() {
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
        JobResult& result = results_[index];
        result.peers = view->peers.size();
        for (const auto& peer : view->peers)
            if (peer.keepalive != 0) result.keepalives_per_second += 1.0 / peer.keepalive;
        const Format format = options_.format.value_or(view->node().format.value);
        for (const auto& file : render_node(*view, texts_[network], format)) {
            auto put = tree_.put(fmt::format("{}/{}", view->node().name.value, file.path),
                                 file.content, file.mode);
            if (!put) return std::move(put).error();
            result.files.push_back(std::move(*put));
        }
        return {};
    }

    const Fleet& fleet_;
    const std::vector<NetworkSecrets>& secrets_;
    const OutputTree& tree_;
    const RenderOptions& options_;
    const std::vector<Job>& jobs_;
    std::vector<PeerTexts> texts_; ///< by network

    std::atomic<std::size_t> next_ = 0;
    std::atomic<bool> failed_ = false;
    std::mutex mutex_; ///< guards what follows
    std::optional<Error> failure_;
    std::size_t done_ = 0;
    std::vector<JobResult> results_; ///< each worker writes its own jobs' only
};

/// The manifest after this run. With `only`, what is known of the other nodes' files stays.
Manifest make_manifest(const std::vector<JobResult>& results, const Manifest& before,
                       const RenderOptions& options, const std::string& origin) {
    Manifest manifest;
    for (const auto& result : results)
        for (const auto& file : result.files) manifest.entries.push_back(file.entry);
    if (options.only.empty()) {
        manifest.origin = origin;
    } else {
        for (const auto& entry : before.entries) {
            const auto node = entry.path.substr(0, entry.path.find('/'));
            if (std::find(options.only.begin(), options.only.end(), node) == options.only.end())
                manifest.entries.push_back(entry);
        }
    }
    std::sort(manifest.entries.begin(), manifest.entries.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return manifest;
}

void count(RenderSummary& summary, const std::vector<JobResult>& results) {
    std::size_t ends = 0;
    summary.cost.nodes = results.size();
    for (const auto& result : results) {
        ends += result.peers;
        summary.cost.keepalives_per_second += result.keepalives_per_second;
        for (const auto& file : result.files) {
            ++(file.written ? summary.files_written : summary.files_unchanged);
            summary.cost.config_bytes += file.entry.size;
        }
    }
    summary.cost.links = ends / 2;
    summary.cost.handshakes_per_second = static_cast<double>(summary.cost.links) / 120;
}

} // namespace

Result<RenderSummary> render(Fleet& fleet, const RenderOptions& options) {
    if (fleet.diagnostics.errors() != 0)
        return Error{Errc::invalid, fmt::format("{} has errors", fleet.paths.nodes), {}};
    auto jobs = list_jobs(fleet, options.only);
    if (!jobs) return std::move(jobs).error();
    auto guarded = guard(fleet);
    if (!guarded) return std::move(guarded).error();
    if (options.locked && fleet.lock_changed())
        return Error{Errc::conflict,
                     fmt::format("{} is not up to date, but --locked allows no change to it",
                                 fleet.paths.lock),
                     "run `wgkit mesh render` without --locked and commit the lock"};
    auto tree = OutputTree::open(options.out);
    if (!tree) return std::move(tree).error();

    RenderSummary summary;
    KeyChanges changes;
    std::vector<NetworkSecrets> secrets;
    for (const auto& network : fleet.inventory.networks) {
        const KeyStore store(fleet.paths.keys, network.name.value, options.allow_open_keys);
        auto loaded = make_keys(network, *fleet.lock.find(network.name.value), store,
                                options.locked, options.today, changes);
        if (!loaded) return std::move(loaded).error();
        secrets.push_back(std::move(*loaded));
    }
    summary.keys_created = changes.created;
    const std::string lock_text = to_text(fleet.lock);
    if (lock_text != fleet.lock_text) {
        auto written = files::replace(fleet.paths.lock, lock_text, 0644);
        if (!written) return std::move(written).error();
        fleet.lock_text = lock_text;
        summary.lock_written = true;
    }

    auto results = Workers(fleet, secrets, *tree, options, *jobs).run();
    if (!results) return std::move(results).error();
    count(summary, *results);
    const Manifest manifest =
        make_manifest(*results, tree->before(), options, origin_of(fleet.source, lock_text));
    auto removed = tree->prune(manifest.entries);
    if (!removed) return std::move(removed).error();
    summary.files_removed = *removed;
    auto finished =
        tree->finish(manifest, {{"nodes.yaml", fleet.source}, {"lock.yaml", lock_text}});
    if (!finished) return std::move(finished).error();
    return summary;
}

} // namespace wgkit::mesh
