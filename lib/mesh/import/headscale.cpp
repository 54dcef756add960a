// Headscale's node list -> draft. Only the named members are read, so pre-auth keys and machine
// keys never get further than the parser.
#include <fmt/format.h>

#include <algorithm>

#include "mesh/import/draft.hpp"
#include "util/json_text.hpp"

namespace wgkit::mesh {

namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

void take_routes(const Json& from, DraftNode& node) {
    for (const char* key : {"approvedRoutes", "subnetRoutes"})
        for (const auto& text : texts_of(from, key)) {
            const auto prefix = Prefix::parse(text);
            if (!prefix) continue;
            if (prefix->length == 0)
                node.exit = FirewallTool::nftables;
            else if (std::find(node.routes.begin(), node.routes.end(), prefix->masked())
                     == node.routes.end())
                node.routes.push_back(prefix->masked());
        }
}

void take_tags(const Json& from, DraftNode& node) {
    for (const char* key : {"tags", "forcedTags", "validTags"})
        for (auto tag : texts_of(from, key)) {
            if (tag.starts_with("tag:")) tag.erase(0, 4);
            if (std::find(node.tags.begin(), node.tags.end(), tag) == node.tags.end())
                node.tags.push_back(tag);
        }
}

DraftNode read_node(const Json& from, const std::vector<DraftNode>& taken) {
    DraftNode node;
    const std::string given = text_of(from, "givenName");
    node.name = make_label(given.empty() ? text_of(from, "name") : given, taken);
    node.has_file = true; // wgkit is to make its files
    for (const auto& text : texts_of(from, "ipAddresses"))
        if (const auto address = IpAddress::parse(text))
            (address->is_v4() ? node.ipv4 : node.ipv6) = *address;
    take_routes(from, node);
    take_tags(from, node);
    const std::string expiry = text_of(from, "expiry").substr(0, 10);
    // Headscale writes the year 1 for "never".
    if (const auto date = parse_date(expiry); date && *date > Date{}) node.expires = expiry;
    return node;
}

std::optional<Prefix> pool_for(const std::vector<DraftNode>& nodes, const char* usual,
                               std::optional<IpAddress> DraftNode::*address) {
    Prefix pool = *Prefix::parse(usual); // Tailscale's, unless configured otherwise
    bool any = false;
    for (const auto& node : nodes) {
        if (!(node.*address)) continue;
        any = true;
        while (!pool.contains(*(node.*address)) && pool.length > 0) {
            --pool.length;
            pool = pool.masked();
        }
    }
    return any ? std::optional(pool) : std::nullopt;
}

} // namespace

Result<Imported> import_headscale(std::string_view text, const std::string& file,
                                  const ImportOptions& options) {
    const Json root = json_text::parse(text); // no exceptions: their texts quote input
    const auto nodes = root.is_object() ? root.find("nodes") : root.end();
    if (root.is_discarded() || !root.is_object() || nodes == root.end() || !nodes->is_array())
        return Error{Errc::invalid, fmt::format("{}:1:1: not a node list of Headscale", file),
                     "save the answer to GET /api/v1/node, an object with \"nodes\""};
    Diagnostics diagnostics(file);
    Draft draft;
    draft.name = options.network;
    for (const auto& one : *nodes)
        if (one.is_object()) draft.nodes.push_back(read_node(one, draft.nodes));
    draft.ipv4 = pool_for(draft.nodes, "100.64.0.0/10", &DraftNode::ipv4);
    draft.ipv6 = pool_for(draft.nodes, "fd7a:115c:a1e0::/48", &DraftNode::ipv6);
    if (!draft.ipv4 && !draft.ipv6) draft.ipv4 = *Prefix::parse("100.64.0.0/10");
    diagnostics.warning("no-endpoint", {}, "Headscale does not say where nodes can be reached")
        .hint = "give the nodes that can be called an `endpoint`, or declare a hub or a relay";
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    return finish_import(drafts, {}, std::move(diagnostics), options.today);
}

} // namespace wgkit::mesh
