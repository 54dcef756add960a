#include "fleet/transport.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "util/ascii.hpp"
#include "util/child.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeRequest;

namespace {

constexpr std::size_t most_output = std::size_t{64} << 20;
constexpr auto patience = std::chrono::minutes(5);

/// What runs on the node. Root needs no sudo; that ssh keeps to itself whom it logs in as is why
/// the node has to find out.
std::string remote_command(const Target& target) {
    const std::string words = R"(wgkit fleet node --connection "$SSH_CONNECTION")";
    if (target.ssh.sudo == false) return "exec " + words;
    if (target.ssh.sudo == true) return "exec sudo -n " + words;
    return fmt::format("if [ \"$(id -u)\" = 0 ]; then exec {0}; else exec sudo -n {0}; fi", words);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// ssh ends with 255 if it is its own failure, else with the command's status.
Reply judge(const Target& target, const ChildEnd& end) {
    Reply reply;
    const auto said = last_line(end.errors);
    const auto fail = [&](Trouble trouble, Errc code, std::string message, std::string hint) {
        reply.trouble = trouble;
        reply.error = {code, fmt::format("{}: {}", target.name, message), std::move(hint)};
        return reply;
    };
    if (end.timed_out) return fail(Trouble::unreachable, Errc::system, "no answer in time", {});
    if (end.output.empty() && end.status == 255) {
        const bool login = contains(end.errors, "Permission denied");
        return fail(login ? Trouble::refused : Trouble::unreachable,
                    login ? Errc::permission : Errc::system,
                    said.empty() ? "the connection broke" : said,
                    fmt::format("try `ssh {}`", address_of(target)));
    }
    const bool is_missing = contains(end.errors, "command not found");
    if (end.output.empty() && !is_missing && contains(end.errors, "sudo:"))
        return fail(Trouble::refused, Errc::permission, said,
                    "the ssh user needs a rule for wgkit in sudoers, with NOPASSWD; or log in as "
                    "root");
    if (end.output.empty() && (is_missing || end.status == 127 || end.status == 64))
        return fail(
            Trouble::no_wgkit, Errc::not_found,
            said.empty() ? "there is no wgkit" : "no wgkit to talk to: " + said,
            fmt::format("`wgkit fleet bootstrap --from PATH {}` brings it there", target.name));
    if (end.output.empty())
        return fail(end.status > 128 ? Trouble::unreachable : Trouble::failed, Errc::system,
                    said.empty() ? "it ended without an answer" : said, {});
    auto answer = wgkit::fleet::parse_answer(end.output);
    if (!answer)
        return fail(answer.error().code == Errc::conflict ? Trouble::no_wgkit : Trouble::failed,
                    answer.error().code, answer.error().message, answer.error().hint);
    reply.answer = *std::move(answer);
    reply.clock_skew = reply.answer.now - std::time(nullptr);
    if (reply.answer.error)
        return fail(Trouble::failed, reply.answer.error->code, reply.answer.error->message,
                    reply.answer.error->hint);
    return reply;
}

/// Short: the path of a socket has at most 107 characters.
std::string socket_folder_prefix() {
    const char* base = std::getenv("XDG_RUNTIME_DIR");
    return fmt::format("{}/wgkit-ssh-", base != nullptr && *base != '\0' ? base : "/tmp");
}

} // namespace

std::string last_line(std::string_view text) {
    text = ascii::trim(text);
    const auto end = text.rfind('\n');
    return std::string(ascii::trim(end == text.npos ? text : text.substr(end + 1)));
}

Transport::Transport(std::chrono::seconds connect_timeout)
    : connect_timeout_(connect_timeout), sockets_(socket_folder_prefix()) {}

Transport::~Transport() {
    if (sockets_.path().empty()) return;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(sockets_.path(), ignored))
        (void)run_child({"ssh", "-o", "ControlPath=" + entry.path().string(), "-O", "exit", "-"},
                        {}, std::chrono::seconds(5));
}

std::vector<std::string> Transport::ssh(const Target& target, bool fresh) const {
    std::vector<std::string> words{"ssh", "-T"};
    const auto option = [&](std::string text) {
        words.emplace_back("-o");
        words.push_back(std::move(text));
    };
    option("BatchMode=yes");
    option(fmt::format("ConnectTimeout={}", connect_timeout_.count()));
    // A machine that goes away in the middle is noticed.
    option("ServerAliveInterval=5");
    option("ServerAliveCountMax=3");
    if (fresh || sockets_.path().empty()) {
        option("ControlMaster=no");
        option("ControlPath=none");
    } else {
        option("ControlMaster=auto");
        option(fmt::format("ControlPath={}/%C", sockets_.path()));
        option("ControlPersist=60");
    }
    if (target.ssh.port != 0) option(fmt::format("Port={}", target.ssh.port));
    if (!target.ssh.user.empty()) option("User=" + target.ssh.user);
    if (!target.ssh.jump.empty()) option("ProxyJump=" + target.ssh.jump);
    words.emplace_back("--");
    words.push_back(address_of(target));
    return words;
}

Reply Transport::call(const Target& target, const NodeRequest& request, bool fresh) {
    auto words = ssh(target, fresh);
    words.push_back(remote_command(target));
    const auto end = run_child(words, to_text(request), patience, most_output);
    if (!end) return {Trouble::failed, end.error(), {}};
    return judge(target, *end);
}

Result<SecretString> Transport::run(const Target& target, const std::string& command,
                                    std::string_view input, std::chrono::seconds limit) {
    auto words = ssh(target, false);
    words.push_back(command);
    auto end = run_child(words, input, limit, most_output);
    if (!end) return end.error();
    if (end->status == 0 && !end->timed_out) return std::move(end->output);
    const auto said = last_line(end->errors);
    return Error{Errc::system,
                 fmt::format("{}: {}", target.name,
                             end->timed_out ? "no answer in time"
                             : said.empty() ? fmt::format("status {}", end->status)
                                            : said),
                 {}};
}

} // namespace wgkit::tool::fleet
