// The CSV of wg-meshconf -> the files that it would write, without its mistakes: AllowedIPs hold
// addresses with their netmask there, IPv6 endpoints have no brackets.
#include <fmt/format.h>

#include <unordered_map>

#include "mesh/import/draft.hpp"
#include "util/ascii.hpp"
#include "util/join.hpp"

namespace wgkit::mesh {

namespace {

using Row = std::unordered_map<std::string, SecretString>;

/// One record of RFC 4180, from `text` at `at`. Nothing at the end.
std::optional<std::vector<SecretString>> next_record(std::string_view text, std::size_t& at) {
    if (at >= text.size()) return std::nullopt;
    std::vector<SecretString> fields(1);
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted) {
            if (c != '"')
                fields.back() += c;
            else if (at + 1 < text.size() && text[at + 1] == '"')
                fields.back() += text[++at];
            else
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == ',') {
            fields.emplace_back();
        } else if (c == '\n') {
            ++at;
            break;
        } else if (c != '\r') {
            fields.back() += c;
        }
    }
    return fields;
}

std::string text_of(const Row& row, const char* key) {
    const auto at = row.find(key);
    return at == row.end() ? std::string() : std::string(ascii::trim(at->second));
}

std::vector<std::string> list_of(const Row& row, const char* key) {
    std::vector<std::string> list;
    const std::string text = text_of(row, key); // the parts are views into it
    for (const auto part : ascii::split(text, ','))
        if (const auto item = ascii::trim(part); !item.empty()) list.emplace_back(item);
    return list;
}

std::string bracketed(const std::string& host) {
    const bool bare = host.find(':') != host.npos && !host.starts_with('[');
    return bare ? "[" + host + "]" : host;
}

void append(SecretString& text, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    text += key;
    text += " = ";
    text += value;
    text += '\n';
}

/// The file of row `i`, as wg-meshconf means it.
Result<ImportFile> file_of(const std::vector<Row>& rows, std::size_t i,
                           const std::vector<std::string>& public_keys, const std::string& name) {
    const Row& row = rows[i];
    ImportFile file{name + ".conf", {}};
    SecretString& text = file.text;
    text += "[Interface]\n";
    if (const auto key = row.find("PrivateKey"); key != row.end())
        append(text, "PrivateKey", ascii::trim(key->second));
    for (const char* key : {"Address", "ListenPort", "FwMark", "DNS", "MTU", "Table", "PreUp",
                            "PostUp", "PreDown", "PostDown", "SaveConfig"})
        append(text, key, text_of(row, key));
    for (std::size_t j = 0; j < rows.size(); ++j) {
        if (j == i) continue;
        const Row& peer = rows[j];
        append(text, "\n[Peer]\n# " + text_of(peer, "Name") + "\nPublicKey", public_keys[j]);
        std::vector<std::string> allowed;
        for (const auto& address : list_of(peer, "Address"))
            if (const auto prefix = Prefix::parse(address))
                allowed.push_back(to_string(Prefix::host(prefix->address)));
        for (const auto& one : list_of(peer, "AllowedIPs")) allowed.push_back(one);
        std::string joined;
        for (const auto& one : allowed) joined += (joined.empty() ? "" : ", ") + one;
        append(text, "AllowedIPs", joined);
        const std::string port = text_of(peer, "ListenPort");
        if (const auto host = text_of(peer, "Endpoint"); !host.empty())
            append(text, "Endpoint",
                   fmt::format("{}:{}", bracketed(host), port.empty() ? "51820" : port));
        append(text, "PersistentKeepalive", text_of(row, "PersistentKeepalive"));
    }
    return file;
}

void warn(const Row& row, const std::string& name, std::size_t line, Diagnostics& diagnostics) {
    const Mark mark{static_cast<std::uint32_t>(line), 1};
    for (const auto& address : list_of(row, "Address"))
        if (const auto prefix = Prefix::parse(address); prefix && prefix->has_host_bits())
            diagnostics
                .warning("host-bits", mark,
                         fmt::format("wg-meshconf gives the peers of {} the AllowedIPs {}; "
                                     "corrected to {}",
                                     name, address, to_string(Prefix::host(prefix->address))))
                .hint = "the kernel reads it as the whole network, so the last such peer gets all "
                        "traffic";
    const std::string host = text_of(row, "Endpoint");
    if (host != bracketed(host))
        diagnostics.warning("unbracketed-ipv6", mark,
                            fmt::format("the endpoint of {} lacks brackets; corrected to {}", name,
                                        bracketed(host)));
    if (!text_of(row, "PersistentKeepalive").empty())
        diagnostics.warning("keepalive-side", mark,
                            fmt::format("wg-meshconf makes the peers of {0} send its keepalives; "
                                        "corrected: {0} sends them",
                                        name));
    if (!host.empty() && text_of(row, "ListenPort").empty())
        diagnostics.warning(
            "missing-port", mark,
            fmt::format("{} has an endpoint but no ListenPort; taken as 51820", name));
}

} // namespace

Result<Imported> import_meshconf(std::string_view text, const std::string& file,
                                 const ImportOptions& options) {
    std::size_t at = 0;
    const auto header = next_record(text, at);
    std::vector<Row> rows;
    while (auto record = next_record(text, at)) {
        if (record->size() == 1 && record->front().empty()) continue;
        if (!header || record->size() != header->size())
            return Error{Errc::invalid,
                         fmt::format("{}:{}:1: {} columns, but the header has {}", file,
                                     rows.size() + 2, record->size(), header ? header->size() : 0),
                         {}};
        Row& row = rows.emplace_back();
        for (std::size_t k = 0; k < record->size(); ++k)
            row[std::string((*header)[k])] = std::move((*record)[k]);
    }
    if (rows.empty() || !rows.front().contains("Name") || !rows.front().contains("PrivateKey"))
        return Error{
            Errc::invalid,
            fmt::format("{}:1:1: not a database of wg-meshconf: no Name and PrivateKey", file),
            {}};
    Diagnostics diagnostics(file);
    std::vector<std::string> public_keys;
    std::vector<DraftNode> names;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto key = parse_private_key(ascii::trim(rows[i].at("PrivateKey")));
        if (!key)
            return Error{Errc::invalid,
                         fmt::format("{}:{}:1: PrivateKey: {}", file, i + 2, key.error().message),
                         "run `wg-meshconf init` to have missing keys made"};
        public_keys.push_back(to_string(public_key(*key)));
        DraftNode node;
        node.name = make_label(text_of(rows[i], "Name"), names);
        if (node.name != text_of(rows[i], "Name"))
            diagnostics.warning(
                "not-a-dns-label", {static_cast<std::uint32_t>(i + 2), 1},
                fmt::format("'{}' becomes {}", text_of(rows[i], "Name"), node.name));
        rows[i]["Name"] = SecretString(node.name);
        warn(rows[i], node.name, i + 2, diagnostics);
        names.push_back(std::move(node));
    }
    std::vector<ImportFile> files;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto one = file_of(rows, i, public_keys, names[i].name);
        if (!one) return std::move(one).error();
        files.push_back(std::move(*one));
    }
    auto imported = import_wg_quick(files, options);
    if (!imported) return imported;
    diagnostics.append(imported->diagnostics);
    imported->diagnostics = std::move(diagnostics);
    return imported;
}

} // namespace wgkit::mesh
