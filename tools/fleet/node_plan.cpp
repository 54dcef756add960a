// What a file would change on this node; the key that it keeps to itself.
#include <fmt/format.h>
#include <unistd.h>

#include "fleet/node.hpp"
#include "fleet/node_staging.hpp"
#include "util/child.hpp"
#include "util/own_program.hpp"
#include "wgkit/files.hpp"
#include "wgkit/key_files.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeAnswer;
using wgkit::fleet::NodeInterface;
using wgkit::fleet::NodeRequest;
using wgkit::fleet::WantedFile;

namespace {

constexpr auto net_patience = std::chrono::seconds(60);
constexpr std::size_t net_output = std::size_t{32} << 20;

Result<NodeInterface> plan_one(const WantedFile& wanted) {
    auto one = read_interface(wanted.interface);
    if (!one) return one;
    const auto staged = StagedFile::make(wanted);
    if (!staged) return staged.error();
    auto changes = staged->changes();
    if (!changes) return changes.error();
    one->file_changes = *std::move(changes);
    auto host = host_changes(wanted);
    if (!host) return host.error();
    one->file_changes.insert(one->file_changes.end(), host->begin(), host->end());
    if (!one->is_up) return one;
    const auto ran = run_child({own_program("wgkit-net"), "plan", staged->path(), "-i",
                                wanted.interface, "--json", "--allow-removals", "1000000"},
                               {}, net_patience, net_output);
    if (!ran) return ran.error();
    if (ran->status != 0 && ran->status != 2)
        return Error{
            Errc::invalid, fmt::format("wgkit net plan {}: {}", wanted.interface, ran->errors), {}};
    one->device_changes = std::string(ran->output.begin(), ran->output.end());
    return one;
}

} // namespace

void do_plan(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files) {
        auto one = plan_one(wanted);
        if (!one) {
            answer.error = one.error();
            return;
        }
        answer.interfaces.push_back(*std::move(one));
    }
    if (!request.firewall) return;
    auto firewall = plan_firewall(*request.firewall, answer);
    if (!firewall) {
        answer.error = firewall.error();
        return;
    }
    answer.firewall = *std::move(firewall);
    answer.firewall_waits = firewall_waits();
}

void do_key(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files) {
        NodeInterface one;
        one.name = wanted.interface;
        auto key = own_key(wanted.interface);
        if (!key && key.error().code == Errc::not_found) {
            const auto path = fmt::format("/etc/wireguard/{}.key", wanted.interface);
            auto fresh = generate_private_key();
            auto made = files::make_folders("/etc/wireguard", 0700);
            if (made) made = files::create(path, reveal_base64(fresh).append("\n"), 0600);
            if (made)
                key = std::move(fresh);
            else
                key = made.error();
        }
        if (!key) {
            answer.error = key.error();
            return;
        }
        one.key = public_key(*key);
        answer.interfaces.push_back(std::move(one));
    }
}

} // namespace wgkit::tool::fleet
