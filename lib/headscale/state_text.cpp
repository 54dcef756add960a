#include <fmt/format.h>

#include "util/sealed_text.hpp"
#include "wgkit/headscale.hpp"

namespace wgkit::headscale {

namespace {

constexpr std::string_view heading = "wgkit-headscale-state 1";

std::int64_t number(Time time) { return time.time_since_epoch().count(); }
Time time_of(FieldReader& fields) { return Time(seconds(fields.number<std::int64_t>())); }

NodeState read_node(FieldReader& fields) {
    NodeState node;
    node.id = fields.text();
    node.verdict = fields.choice<Verdict>(verdict_count);
    node.level = fields.choice<Level>(4);
    node.since = time_of(fields);
    node.online = fields.flag();
    node.seen_online = time_of(fields);
    node.reason = fields.text();
    return node;
}

} // namespace

std::string to_text(const State& state) {
    std::string text;
    const files::Sink append = [&](std::string_view piece) { text += piece; };
    FieldWriter to(append, heading);
    to.line("look", number(state.now));
    if (state.restart)
        to.line("restart", number(state.restart->noticed), number(state.restart->before));
    for (const auto& node : state.nodes)
        to.line("node", plain(node.id), static_cast<unsigned>(node.verdict),
                static_cast<unsigned>(node.level), number(node.since), node.online,
                number(node.seen_online), plain(node.reason));
    to.seal();
    return text;
}

Result<State> parse_state(std::string_view text) {
    const auto body = unseal(text, heading);
    if (!body) return body.error();
    State state;
    std::string_view rest = *body;
    for (std::size_t line = 2; !rest.empty(); ++line) {
        const std::size_t end = rest.find('\n');
        FieldReader fields(rest.substr(0, end));
        rest.remove_prefix(end + 1);
        const std::string_view kind = fields.text();
        if (kind == "look") {
            state.now = time_of(fields);
        } else if (kind == "restart") {
            state.restart.emplace();
            state.restart->noticed = time_of(fields);
            state.restart->before = time_of(fields);
        } else if (kind == "node") {
            state.nodes.push_back(read_node(fields));
        }
        const bool known = kind == "look" || kind == "restart" || kind == "node";
        if (fields.failed() || !known)
            return Error{
                Errc::invalid, fmt::format("line {} of the state file is malformed", line), {}};
    }
    return state;
}

} // namespace wgkit::headscale
