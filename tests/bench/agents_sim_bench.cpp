// Simulated agents: the agent's own HTTP, verify and apply code, each in a thread, on devices in
// memory; the store is real. agents_bench.py --simulated starts it, and tells when to kill what.
//
//   wgkit_agents_sim_bench HOME FOLDER NODES RUNNING CHANGES
//
// HOME is an operator's folder whose fleet has no nodes yet; FOLDER takes the agents' folders.
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <thread>

#include "agent/identity.hpp"
#include "agent/machine.hpp"
#include "http/http.hpp"
#include "operator/draft.hpp"
#include "support/memory_device.hpp"
#include "wgkit/agent.hpp"
#include "wgkit/fleet_store.hpp"

using namespace wgkit;
using Clock = std::chrono::steady_clock;

namespace {

[[noreturn]] void die(const std::string& what) {
    fmt::print(stderr, "{}\n", what);
    std::_Exit(1);
}

template <class T>
T take(Result<T> result) {
    if (!result) die(result.error().message);
    return *std::move(result);
}

/// What all devices are waited for: a key that is there, or not; or a number of peers.
struct Target {
    std::mutex mutex;
    std::size_t number = 0; ///< of the target: counts up
    std::function<bool(const Device&)> holds = [](const Device&) { return false; };
    std::size_t left = 0;
    Clock::time_point last;
};
Target target;

class MemoryMachine : public agent::Machine {
  public:
    bool has(const std::string&) const override { return is_up_; }

    Result<bool> apply(const std::string&, config::Config& config,
                       const std::function<void(const Error&)>&) override {
        is_up_ = true;
        auto wanted = wanted_device(config);
        for (auto* peer : peers_to_look_up(wanted, backend_.device, {}))
            peer->address = take(look_up(*peer->endpoint));
        const auto change = diff(wanted, backend_.device);
        const bool changes = !change.empty();
        if (auto done = set_all(backend_, change); !done) return done.error();
        judge();
        return changes;
    }
    Result<void> remove_all_peers(const std::string&) override {
        backend_.device.peers.clear();
        judge();
        return {};
    }
    Result<void> remove_peers(const std::string&, const std::vector<PublicKey>& keys) override {
        DeviceChange change;
        change.removed_peers = keys;
        if (auto done = set_all(backend_, change); !done) return done;
        judge();
        return {};
    }
    std::vector<bool> echo(const std::vector<IpAddress>& addresses,
                           std::chrono::milliseconds) override {
        return std::vector<bool>(addresses.size(), true);
    }

    /// Whether the device is as the target has it; counts once for each target.
    void judge() {
        const std::lock_guard lock(target.mutex);
        if (seen_ == target.number || is_gone || !target.holds(backend_.device)) return;
        seen_ = target.number;
        --target.left;
        target.last = Clock::now();
    }

    std::atomic<bool> is_gone = false; ///< not waited for any more

  private:
    struct Large : test::MemoryDevice {
        Large() : MemoryDevice(Device{}) { per_message = 100'000; }
    };
    Large backend_;
    bool is_up_ = false;
    std::size_t seen_ = 0;
};

struct Simulated {
    std::string folder;
    MemoryMachine machine;
    std::unique_ptr<HttpPoster> requests = http::make_poster();
    std::unique_ptr<HttpPoster> watch = http::make_poster();
    std::vector<std::uint64_t> applied; ///< revisions, in their order
    std::size_t troubles = 0;
    std::size_t before_changes = 0; ///< how many of them
    std::thread thread;

    void start(int stop) {
        thread = std::thread([this, stop] {
            agent::AgentOptions options;
            options.folder = folder;
            options.stop = stop;
            options.tell = [this](bool is_trouble, const std::string& text) {
                troubles += is_trouble ? 1 : 0;
                unsigned long long revision = 0;
                if (std::sscanf(text.c_str(), "revision %llu applied", &revision) == 1)
                    applied.push_back(revision);
            };
            const auto ended = agent::run_agent_on(machine, *requests, *watch, options);
            if (!ended) die(ended.error().message);
        });
    }
};

/// Seconds from `begin` until all devices are so.
double await(std::vector<std::unique_ptr<Simulated>>& all, std::size_t count,
             std::function<bool(const Device&)> holds, const std::function<void()>& act) {
    {
        const std::lock_guard lock(target.mutex);
        ++target.number;
        target.holds = std::move(holds);
        target.left = count;
    }
    const auto begin = Clock::now();
    act();
    const auto end = begin + std::chrono::minutes(10);
    while (true) {
        {
            const std::lock_guard lock(target.mutex);
            if (target.left == 0) return std::chrono::duration<double>(target.last - begin).count();
            if (Clock::now() > end)
                die(fmt::format("{} devices of {} are not so", target.left, all.size()));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

double processor_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

std::function<bool(const Device&)> has_key(PublicKey key, bool wanted) {
    return [key, wanted](const Device& device) {
        return std::any_of(device.peers.begin(), device.peers.end(),
                           [&](const auto& peer) { return peer.public_key == key; })
               == wanted;
    };
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 6) die("HOME FOLDER NODES RUNNING CHANGES");
    const std::string home_folder = argv[1], folder = argv[2];
    const std::size_t nodes = std::stoul(argv[3]), changes = std::stoul(argv[5]);
    const std::size_t running = std::min<std::size_t>(std::stoul(argv[4]), nodes);
    auto poster = http::make_poster();
    const agent::Operator op{*poster, home_folder, std::time(nullptr)};
    const auto home = take(agent::load_home(home_folder));
    store::Client client(*poster, home.access);

    std::vector<std::unique_ptr<Simulated>> all;
    std::vector<PublicKey> keys;
    auto draft = take(agent::Draft::open(home, client, op.now));
    for (std::size_t i = 0; i < nodes; ++i) {
        auto one = std::make_unique<Simulated>();
        one->folder = fmt::format("{}/n{}", folder, i);
        const auto own = take(agent::load_or_make_keys(one->folder));
        trust::NodeRecord record;
        record.name = fmt::format("n{}", i);
        record.key = public_key(own.wireguard);
        record.agent = trust::verify_key(own.agent);
        record.seal = public_key(own.seal);
        record.ipv4 = IpAddress::parse(fmt::format("10.77.{}.{}", i / 200, i % 200 + 1));
        record.joined = true;
        record.fields = fmt::format(R"({{"endpoint":"10.9.{}.{}:51820"}})", i / 200, i % 200 + 1);
        keys.push_back(record.key);
        draft.records[record.name] = record;
        agent::Identity identity{home.network, record.name, {}, home.root_hash, 0, home.access};
        if (auto saved = agent::save_identity(one->folder, identity); !saved)
            die(saved.error().message);
        if (i < running) all.push_back(std::move(one));
    }
    take(draft.publish("simulate", fmt::format("{} nodes", nodes), op.valid_for));

    const int stop = ::eventfd(0, EFD_CLOEXEC);
    fmt::print("{} agents of {} nodes, all peers on all devices after {:.1f} s\n", running, nodes,
               await(
                   all, running,
                   [nodes](const Device& device) { return device.peers.size() == nodes - 1; },
                   [&] {
                       for (auto& one : all) {
                           one->start(stop);
                           std::this_thread::sleep_for(std::chrono::milliseconds(30));
                       }
                   }));
    std::fflush(stdout);

    // Quiet first: what came before has an end.
    std::this_thread::sleep_for(std::chrono::seconds(5));
    const double before = processor_seconds();
    std::this_thread::sleep_for(std::chrono::seconds(10));
    fmt::print("idle: {:.4f} % of a processor for each\n",
               (processor_seconds() - before) / 10 * 100 / static_cast<double>(running));

    all[7 % running]->machine.is_gone = true;
    double told = 0;
    const double processor = processor_seconds();
    const double revoked = await(all, running - 1, has_key(keys[7 % running], false), [&] {
        const auto begin = Clock::now();
        if (auto done = agent::revoke_node(op, fmt::format("n{}", 7 % running)); !done)
            die(done.error().message);
        told = std::chrono::duration<double>(Clock::now() - begin).count();
    });
    std::this_thread::sleep_for(std::chrono::seconds(5));
    fmt::print("a change costs an agent {:.1f} ms of a processor\n",
               (processor_seconds() - processor) * 1000 / static_cast<double>(running));
    fmt::print("revoked on all devices after {:.2f} s, of which `revoke` took {:.2f} s\n", revoked,
               told);
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(5));

    agent::JoinKeyOptions join_key;
    join_key.ipv4 = take(Prefix::parse("10.77.200.0/24"));
    const auto token = take(agent::make_join_key(op, join_key)).token;
    std::this_thread::sleep_for(std::chrono::seconds(5));
    auto late = std::make_unique<Simulated>();
    late->folder = folder + "/late";
    const auto late_key = public_key(take(agent::load_or_make_keys(late->folder)).wireguard);
    const double added = await(
        all, running,
        [&, n = nodes](const Device& device) {
            return device.public_key == late_key ? device.peers.size() == n - 1
                                                 : has_key(late_key, true)(device);
        },
        [&] {
            agent::JoinOptions options;
            options.folder = late->folder;
            options.name = "late";
            options.endpoint = "10.9.200.1:51820";
            options.now = std::time(nullptr);
            take(agent::join(*poster, token, options));
            late->start(stop);
        });
    fmt::print("one more, from `join` to all devices: {:.2f} s\n", added);
    std::fflush(stdout);

    // Every change is one that all devices show: another keepalive.
    std::string last_yaml;
    std::size_t tries = 0;
    for (auto& one : all) one->before_changes = one->applied.size();
    late->before_changes = late->applied.size();
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < changes; ++i) {
        for (bool done = false; !done; ++tries) {
            auto next = agent::Draft::open(home, client, std::time(nullptr));
            if (!next) continue; // a member is dead: the next one answers
            last_yaml =
                fmt::format(R"({{"version":"1","network":{{"name":"{}","ipv4":"10.77.0.0/16"}},)"
                            R"("defaults":{{"keepalive":"{}"}}}})",
                            home.network, 1 + i % 60'000);
            if (next->fleet.nodes_yaml == last_yaml) break; // done, but the answer was lost
            next->fleet.nodes_yaml = last_yaml;
            done = next->publish("change", std::to_string(i), op.valid_for).has_value();
        }
    }
    if (changes != 0) {
        const auto want = static_cast<std::uint16_t>(1 + (changes - 1) % 60'000);
        await(
            all, running,
            [want](const Device& device) {
                return !device.peers.empty() && device.peers.front().persistent_keepalive == want;
            },
            [&] {
                for (auto& one : all) one->machine.judge();
                late->machine.judge();
            });
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        fmt::print("{} changes in {:.1f} s, {} tries; the last on all devices\n", changes, took,
                   tries);
    }
    std::uint64_t one = 1;
    if (::write(stop, &one, sizeof one) != sizeof one) die("cannot stop");
    std::size_t unordered = 0, twice = 0, seen = 0;
    all.push_back(std::move(late));
    for (auto& agent : all) {
        agent->thread.join();
        seen += agent->applied.size();
        // Before them there are several of one revision, as nodes join.
        for (auto i = agent->before_changes + 1; i < agent->applied.size(); ++i) {
            unordered += agent->applied[i] < agent->applied[i - 1] ? 1 : 0;
            twice += agent->applied[i] == agent->applied[i - 1] ? 1 : 0;
        }
    }
    fmt::print("applied {} states in all; out of order: {}, twice: {}\n", seen, unordered, twice);
    if (changes != 0) {
        const auto log = take(agent::read_log(op));
        const auto logged = std::count_if(
            log.begin(), log.end(), [](const auto& entry) { return entry.action == "change"; });
        fmt::print("changes in the log: {} of {}\n", logged, changes);
    }
    return 0;
}
