// `wgkit fleet rotate`: new keys for nodes, with both generations alive meanwhile.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "commands.hpp"
#include "common/json.hpp"
#include "fleet/record.hpp"
#include "fleet/survey.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeRequest;
using wgkit::mesh::LearnedKey;

namespace {

struct RotateOptions {
    FleetOptions fleet;
    std::vector<std::string> nodes;
    bool all = false;
    std::uint32_t at_once = 1;
    std::uint32_t quiet = 60;    ///< Units: seconds
    std::uint32_t timeout = 300; ///< Units: seconds
    bool leave_behind = false;
};

/// One end of a rotation: a node's interface in one network.
struct End {
    Target target;
    std::string network;
    std::string interface;
    PublicKey current;
    bool gets_key = false;
    Json offer;
    std::vector<std::string> peers; ///< names
    SecretString preshared_keys;    ///< lines of a peer's public key and the pair's key
};

/// New keys for some nodes of one network, at once: they and all their peers take part.
class Rotation {
  public:
    Rotation(const wgkit::mesh::Fleet& fleet, const wgkit::mesh::Plan& plan,
             const std::vector<std::string>& rotating, Transport& transport,
             const RotateOptions& options, const Report& report)
        : fleet_(fleet), transport_(transport), options_(options), report_(report),
          network_(plan.network().name.value) {
        for (wgkit::mesh::NodeIndex i = 0; i < plan.size(); ++i) {
            const auto& member = plan.member(i);
            if (!member.active || !member.node->managed || member.locked == nullptr
                || !member.locked->key)
                continue;
            End end{{member.node->name.value, member.node->ssh},
                    plan.network().name.value,
                    member.node->interface,
                    *member.locked->key,
                    false,
                    {},
                    {},
                    {}};
            end.gets_key = is_in(rotating, end.target.name);
            bool takes_part = end.gets_key;
            for (const auto& peer : plan.peers(i)) {
                const auto& other = *plan.member(peer.node).node;
                if (!other.managed) {
                    // What is not managed cannot be told the new key of its peer.
                    if (end.gets_key) foreign_.push_back(other.name.value);
                    continue;
                }
                if (end.gets_key || is_in(rotating, other.name.value))
                    end.peers.push_back(other.name.value);
                takes_part = takes_part || is_in(rotating, other.name.value);
            }
            if (takes_part) ends_.push_back(std::move(end));
        }
    }

    const std::vector<std::string>& foreign() const { return foreign_; }

    /// Until all ends have the offers nothing is switched over, and a run that was killed goes on
    /// from the start. From then on, which stands in the record, an end may be done before others:
    /// it must not begin anew.
    Result<std::vector<LearnedKey>> run(Record& record) {
        const auto is_ours = [&](const LearnedKey& one) { return one.network == network_; };
        std::vector<LearnedKey> keys;
        std::copy_if(record.agreed.begin(), record.agreed.end(), std::back_inserter(keys), is_ours);
        if (keys.empty()) {
            if (auto done = prepare(); !done) return done.error();
            keys = learned();
            if (auto done = agree_on_preshared_keys(keys); !done) return done.error();
            if (auto done = step("exchanging keys", [&](const End& end) { return accept(end); });
                !done)
                return done.error();
            record.agreed.insert(record.agreed.end(), keys.begin(), keys.end());
            if (auto saved = record.save(); !saved) return saved.error();
        }
        if (auto done = step("rotating", [&](const End& end) { return finish(end); }); !done)
            return done.error();
        return keys;
    }

  private:
    static bool is_in(const std::vector<std::string>& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    std::vector<Target> targets() const {
        std::vector<Target> out;
        for (const auto& end : ends_) out.push_back(end.target);
        return out;
    }

    static NodeRequest request(const End& end, std::vector<std::string> words,
                               SecretString keys = {}) {
        auto out = request_for("rotate");
        out.files.push_back({end.interface, std::move(keys), {}, {}});
        out.words = std::move(words);
        return out;
    }

    template <class Make>
    Result<std::vector<Reply>> ask(const char* what, Make&& make) {
        auto replies = call_all(transport_, targets(), options_.fleet, what,
                                [&](std::size_t i) { return make(ends_[i]); });
        bool failed = false;
        for (const auto& reply : replies)
            if (!reply.is_good()) {
                report_.error(reply.error);
                failed = true;
            }
        if (failed)
            return Error{Errc::system, fmt::format("{} did not end", what),
                         "`wgkit fleet rotate` goes on once the nodes can be reached; on a node, "
                         "`wgkit net rotate status IF` tells how far it is"};
        return replies;
    }

    template <class Make>
    Result<void> step(const char* what, Make&& make) {
        auto replies = ask(what, std::forward<Make>(make));
        if (!replies) return replies.error();
        return {};
    }

    Result<void> prepare() {
        const auto replies = ask("preparing", [&](const End& end) {
            std::vector<std::string> words{"prepare"};
            if (!end.gets_key) words.emplace_back("--keep-key");
            return request(end, std::move(words));
        });
        if (!replies) return replies.error();
        for (std::size_t i = 0; i < ends_.size(); ++i) {
            const auto& text = (*replies)[i].answer.output;
            ends_[i].offer = Json::parse(text.begin(), text.end(), nullptr, false);
            if (!ends_[i].offer.is_object())
                return Error{Errc::invalid,
                             fmt::format("{}: its offer is not understood", ends_[i].target.name),
                             {}};
        }
        return {};
    }

    std::vector<LearnedKey> learned() const {
        std::vector<LearnedKey> keys;
        for (const auto& end : ends_)
            if (auto key = PublicKey::parse(end.offer.value("newPublicKey", ""));
                key && end.gets_key)
                keys.push_back({end.network, end.target.name, *key});
        return keys;
    }

    /// The pairs' keys that follow from the new keys, as every node's future file has them.
    Result<void> agree_on_preshared_keys(const std::vector<LearnedKey>& keys) {
        auto future = wgkit::mesh::load(fleet_.paths, wgkit::mesh::today());
        if (!future) return future.error();
        wgkit::mesh::RenderOptions render;
        render.today = wgkit::mesh::today();
        const auto files = render_with_keys(*future, keys, render);
        if (!files) return files.error();
        for (auto& end : ends_)
            for (const auto& file : *files) {
                if (file.node != end.target.name || file.network != end.network) continue;
                const auto parsed = config::parse(file.content, file.path);
                for (const auto& peer : parsed.config.peers) {
                    const End* other = find_by_next(peer.public_key);
                    if (other == nullptr || !peer.preshared_key
                        || !(end.gets_key || other->gets_key))
                        continue;
                    end.preshared_keys.append(to_string(other->current)).append(" ");
                    end.preshared_keys.append(reveal_base64(*peer.preshared_key)).append("\n");
                }
            }
        return {};
    }

    const End* find_by_next(const PublicKey& key) const {
        const auto text = to_string(key);
        for (const auto& end : ends_)
            if (end.offer.value("newPublicKey", "") == text) return &end;
        return nullptr;
    }

    NodeRequest accept(const End& end) const {
        std::vector<std::string> words{"accept"};
        Json offers = Json::array();
        for (const auto& other : ends_)
            if (is_in(end.peers, other.target.name)) offers.push_back(other.offer);
        words.push_back(offers.dump());
        return request(end, std::move(words), end.preshared_keys);
    }

    NodeRequest finish(const End& end) const {
        std::vector<std::string> words{"run", "--quiet", std::to_string(options_.quiet),
                                       "--timeout", std::to_string(options_.timeout)};
        if (options_.leave_behind) words.emplace_back("--leave-behind");
        return request(end, std::move(words));
    }

    const wgkit::mesh::Fleet& fleet_;
    Transport& transport_;
    const RotateOptions& options_;
    const Report& report_;
    std::vector<End> ends_;
    std::vector<std::string> foreign_;
    std::string network_;
};

bool fleet_has(const wgkit::mesh::Fleet& fleet, const std::string& name) {
    return targets_of(fleet, {name}).has_value();
}

/// Whose keys are to change: what was named, or all; first those of a run that did not end, and
/// those it had not come to.
Result<std::vector<std::string>> wanted_names(const wgkit::mesh::Fleet& fleet,
                                              const RotateOptions& options, const Record& record) {
    std::vector<std::string> names = record.rotating;
    for (const auto& name : record.to_rotate)
        if (fleet_has(fleet, name)) names.push_back(name);
    const auto targets = targets_of(fleet, options.nodes);
    if (!targets) return targets.error();
    if (!options.nodes.empty() || options.all)
        for (const auto& target : *targets)
            if (std::find(names.begin(), names.end(), target.name) == names.end())
                names.push_back(target.name);
    return names;
}

int rotate_some(const std::vector<std::string>& names, Transport& transport, Record& record,
                const RotateOptions& options, const Report& report) {
    record.rotating = names;
    if (auto saved = record.save(); !saved) return report.error(saved.error());
    auto fleet = load_fleet(options.fleet.nodes, report);
    if (!fleet) return exit_failed;
    for (const auto& plan : fleet->plans) {
        const bool concerned = std::any_of(names.begin(), names.end(), [&](const auto& name) {
            return plan.find(name).has_value();
        });
        if (!concerned) continue;
        Rotation rotation(*fleet, plan, names, transport, options, report);
        if (!rotation.foreign().empty() && !options.leave_behind)
            return report.error(
                {Errc::conflict,
                 fmt::format("{} would lose the tunnel: they are not managed from here",
                             fmt::join(rotation.foreign(), ", ")),
                 "with --leave-behind they do, until they have the new keys by other means"});
        const auto keys = rotation.run(record);
        if (!keys) return report.error(keys.error());
        if (auto entered = enter_keys(fleet->paths, *keys, wgkit::mesh::today()); !entered)
            return report.error(entered.error());
    }
    record.rotating.clear();
    record.agreed.clear();
    if (auto saved = record.save(); !saved) return report.error(saved.error());
    if (auto logged = record.log("rotate", names, "done", ""); !logged)
        return report.error(logged.error());
    return exit_ok;
}

int run_rotate(const RotateOptions& options, const Report& report) {
    auto record = Record::lock(options.fleet.nodes);
    if (!record) return report.error(record.error());
    auto fleet = load_fleet(options.fleet.nodes, report);
    if (!fleet) return exit_failed;
    const auto names = wanted_names(*fleet, options, *record);
    if (!names) return report.error(names.error());
    if (names->empty()) {
        report.error("whose keys?", "name nodes, or give --all");
        return exit_usage;
    }
    // Everybody has to be as the inventory says before it becomes something else.
    Transport transport{std::chrono::seconds(options.fleet.connect_timeout)};
    if (record->rotating.empty()) {
        const auto nodes = survey(*fleet, transport, options.fleet, {}, false);
        if (!nodes) return report.error(nodes.error());
        if (const auto refused = unsupported_nodes(*nodes)) return report.error(*refused);
        for (const auto& node : *nodes) {
            if (!node.reply.is_good()) return report.error(node.reply.error);
            if (node.changes() != 0)
                return report.error(
                    {Errc::conflict,
                     fmt::format("{} is not what the inventory says", node.target.name),
                     "`wgkit fleet apply` first"});
        }
    } else {
        report.note(fmt::format("going on with {}", fmt::join(record->rotating, ", ")));
    }
    for (const auto& network : fleet->inventory.networks)
        for (const auto& node : network.nodes)
            if (node.public_key
                && std::find(names->begin(), names->end(), node.name.value) != names->end())
                return report.error(
                    {Errc::conflict,
                     fmt::format("{}:{}:{}: the key of {} is fixed here", fleet->paths.nodes,
                                 node.public_key->mark.line, node.public_key->mark.column,
                                 node.name.value),
                     "take `public_key:` out: the lock has it, and follows the node"});
    std::vector<std::string> done;
    auto waves = wgkit::fleet::plan_waves(*names, record->rotating.size(), options.at_once);
    record->to_rotate = *names;
    for (const auto& wave : waves) {
        auto& left = record->to_rotate;
        left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(wave.size()));
        if (const int status = rotate_some(wave, transport, *record, options, report);
            status != exit_ok)
            return status;
        done.insert(done.end(), wave.begin(), wave.end());
        report.note(fmt::format("{} of {} nodes have new keys", done.size(), names->size()));
    }
    if (options.fleet.json)
        print(Json{{"schema", 1}, {"rotated", done}});
    else
        fmt::print("new keys: {}\n", fmt::join(done, ", "));
    return exit_ok;
}

} // namespace

Action setup_rotate(Arguments arguments) {
    auto options = std::make_shared<RotateOptions>();
    arguments.add_option("NODE", options->nodes, "Nodes that get new keys").type_name("");
    add_fleet_options(arguments, options->fleet);
    arguments.add_flag("--all", options->all, "All nodes");
    arguments.add_option("--at-once", options->at_once, "How many nodes get new keys at once")
        .type_name("N")
        .range(1, 100000)
        .shows_default();
    arguments
        .add_option("--quiet", options->quiet,
                    "Old keys are given up after so many seconds without a packet")
        .type_name("SECONDS")
        .range(0, 3600)
        .shows_default();
    arguments.add_option("--timeout", options->timeout, "How long nodes wait for each other")
        .type_name("SECONDS")
        .range(1, 3600)
        .shows_default();
    arguments.add_flag("--leave-behind", options->leave_behind,
                       "Go on although peers that are not managed will be cut off");
    return [options](const Report& report) { return run_rotate(*options, report); };
}

} // namespace wgkit::tool::fleet
