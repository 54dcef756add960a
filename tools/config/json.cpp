#include "json.hpp"
#include "util/json_text.hpp"

namespace wgkit::tool::config {

namespace {

using namespace wgkit::config;

/// Builds one file's object; keys of secrets get a stand-in.
class Builder {
  public:
    explicit Builder(bool show_secrets) : show_secrets_(show_secrets) {}

    Json file(const File& file) const {
        Json result{{"file", file.path}};
        if (!file.config.comments.empty()) result["comments"] = strings(file.config.comments);
        result["interface"] = interface(file.config.interface);
        result["peers"] = Json::array();
        for (const auto& one : file.config.peers) result["peers"].push_back(peer(one));
        return result;
    }

  private:
    std::string shown(const std::string& text) const {
        return show_secrets_ ? text : hide_keys_in(text);
    }
    Json strings(const std::vector<std::string>& list) const {
        Json result = Json::array();
        for (const auto& text : list) result.push_back(shown(text));
        return result;
    }
    void add_list(Json& to, const char* name, const std::vector<std::string>& list) const {
        if (!list.empty()) to[name] = strings(list);
    }
    /// All comments of a section in one list, in the order of the file.
    void add_comments(Json& to, const SectionComments& comments) const {
        std::vector<std::string> all = comments.above;
        if (!comments.beside.empty()) all.push_back(comments.beside);
        all.insert(all.end(), comments.below.begin(), comments.below.end());
        all.insert(all.end(), comments.end.begin(), comments.end.end());
        add_list(to, "comments", all);
    }
    Json interface(const Interface& from) const {
        Json to = Json::object();
        if (from.mark.line != 0) to["line"] = from.mark.line;
        add_comments(to, from.comments);
        if (from.private_key) to["privateKey"] = hidden;
        if (from.listen_port) to["listenPort"] = *from.listen_port;
        if (from.fw_mark) to["fwmark"] = *from.fw_mark;
        std::vector<std::string> addresses;
        for (const auto& address : from.addresses) addresses.push_back(to_string(address));
        add_list(to, "addresses", addresses);
        add_list(to, "dns", from.dns);
        if (from.mtu) to["mtu"] = *from.mtu;
        if (from.table) to["table"] = *from.table;
        add_list(to, "preUp", from.pre_up);
        add_list(to, "postUp", from.post_up);
        add_list(to, "preDown", from.pre_down);
        add_list(to, "postDown", from.post_down);
        if (from.save_config) to["saveConfig"] = *from.save_config;
        return to;
    }
    Json peer(const Peer& from) const {
        Json to{{"line", from.mark.line}};
        add_comments(to, from.comments);
        to["publicKey"] = to_string(from.public_key);
        if (from.preshared_key) to["presharedKey"] = hidden;
        Json allowed_ips = Json::array();
        for (const auto& entry : from.allowed_ips)
            allowed_ips.push_back((entry.sign == Sign::none ? "" : std::string(1, char(entry.sign)))
                                  + to_string(entry.prefix));
        to["allowedIps"] = allowed_ips;
        to["replaceAllowedIps"] = from.replace_allowed_ips;
        if (from.endpoint) to["endpoint"] = to_string(*from.endpoint);
        if (from.persistent_keepalive)
            to["persistentKeepalive"] = from.persistent_keepalive->count();
        return to;
    }

    bool show_secrets_;
};

/// Puts the keys where their stand-ins are, in the order of the document. No text of a file looks
/// like such a member: its quotation marks would be escaped.
SecretString fill_in(std::string_view json, const std::vector<File>& files) {
    SecretString out;
    out.reserve(json.size() + json.size() / 2);
    const auto next = [&](std::string_view member, const SecretString& value) {
        const auto at = json.find(member);
        if (at == std::string_view::npos) return;
        out += json.substr(0, at + member.size() - std::string_view("\"(hidden)\"").size());
        out.append("\"").append(value).append("\"");
        json.remove_prefix(at + member.size());
    };
    for (const auto& file : files) {
        if (const auto& key = file.config.interface.private_key)
            next("\"privateKey\": \"(hidden)\"", reveal_base64(*key));
        for (const auto& peer : file.config.peers)
            if (peer.preshared_key)
                next("\"presharedKey\": \"(hidden)\"", reveal_base64(*peer.preshared_key));
    }
    return out += json;
}

} // namespace

SecretString to_json(const std::vector<File>& files, bool show_secrets) {
    const Builder builder(show_secrets);
    Json document{{"schema", 1}, {"files", Json::array()}};
    for (const auto& file : files) document["files"].push_back(builder.file(file));
    // Comments may hold bytes that are no UTF-8.
    const auto text = json_text::dump(document, 2) + "\n";
    return show_secrets ? fill_in(text, files) : SecretString(text);
}

} // namespace wgkit::tool::config
