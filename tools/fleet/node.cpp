// `wgkit fleet node`: one request on standard input, one answer on standard output.
#include "fleet/node.hpp"

#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "commands.hpp"
#include "common/secret_output.hpp"
#include "util/ascii.hpp"
#include "util/host_name.hpp"
#include "wgkit/files.hpp"
#include "wgkit/revoked.hpp"
#include "wgkit/version.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeAnswer;
using wgkit::fleet::NodeRequest;

namespace {

struct NodeOptions {
    std::string connection;
};

void do_state(const NodeRequest& request, NodeAnswer& answer) {
    auto interfaces = read_interfaces();
    if (!interfaces) {
        answer.error = interfaces.error();
        return;
    }
    answer.interfaces = *std::move(interfaces);
    if (request.verb != "export") return;
    for (auto& one : answer.interfaces) {
        if (!one.has_file) continue;
        const auto text = files::read(file_path(one.name));
        if (!text) {
            answer.error = text.error();
            return;
        }
        one.config = wgkit::fleet::without_private_key(*text);
        if (one.key) continue;
        const auto key = own_key(one.name);
        if (key) one.key = public_key(*key);
    }
}

struct Verb {
    const char* name;
    void (*act)(const NodeRequest& request, NodeAnswer& answer);
};

constexpr Verb verbs[] = {
    {"state", do_state},   {"export", do_state},    {"plan", do_plan}, {"key", do_key},
    {"apply", do_apply},   {"confirm", do_confirm}, {"keep", do_keep}, {"undo", do_undo},
    {"revoke", do_revoke}, {"rotate", do_rotate},
};

std::string first_line(const char* path) {
    const auto text = files::read(path);
    return text ? std::string(ascii::trim(*text)) : std::string();
}

NodeAnswer answer_to(const NodeRequest& request) {
    NodeAnswer answer;
    answer.version = wgkit::version;
    answer.host_name = first_line("/etc/hostname");
    if (answer.host_name.empty()) answer.host_name = host_name();
    answer.boot_id = first_line("/proc/sys/kernel/random/boot_id");
    if (auto revoked = read_revoked_keys())
        answer.revoked = *std::move(revoked);
    else
        answer.warnings.push_back(revoked.error().message);
    for (const auto& verb : verbs)
        if (request.verb == verb.name) {
            verb.act(request, answer);
            answer.now = std::time(nullptr);
            return answer;
        }
    answer.error = Error{Errc::invalid, fmt::format("there is no verb '{}'", request.verb),
                         "bring the node's wgkit up to date: `wgkit fleet bootstrap`"};
    return answer;
}

int run_node(const NodeOptions& options) {
    NodeAnswer answer;
    const auto text = files::read("-");
    const auto request =
        text ? wgkit::fleet::parse_request(*text) : Result<NodeRequest>(text.error());
    if (request) {
        answer = answer_to(*request);
        answer.ssh_through = ssh_interface(options.connection, answer.interfaces);
    } else {
        answer.version = wgkit::version;
        answer.error = request.error();
    }
    print(to_text(answer));
    return answer.error ? exit_failed : exit_ok;
}

} // namespace

Action setup_node(Arguments arguments) {
    auto options = std::make_shared<NodeOptions>();
    arguments.add_option("--connection", options->connection, "What ssh says of the connection")
        .type_name("TEXT");
    return [options](const Report&) { return run_node(*options); };
}

} // namespace wgkit::tool::fleet
