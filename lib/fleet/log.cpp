// The log of a fleet: lines of JSON, each with the hash of the one before.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "crypto/sha256.hpp"
#include "fleet/secret_json.hpp"
#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/file_lock.hpp"
#include "util/write_file.hpp"
#include "wgkit/files.hpp"
#include "wgkit/fleet.hpp"

namespace wgkit::fleet {

namespace {

/// Before the first line.
const std::string no_hash(64, '0');
constexpr std::string_view hash_field = R"(,"hash":")";
constexpr std::size_t hash_size = 64;

/// A line without its hash; what follows is `,"hash":"..."}`.
std::string body_of(const LogEntry& entry, const std::string& previous) {
    SecretJson nodes = SecretJson::array();
    for (const auto& node : entry.nodes) nodes.push_back(secret(node));
    const SecretJson json{{"number", entry.number},         {"time", entry.time},
                          {"who", secret(entry.who)},       {"action", secret(entry.action)},
                          {"nodes", std::move(nodes)},      {"result", secret(entry.result)},
                          {"detail", secret(entry.detail)}, {"previous", secret(previous)}};
    std::string text = plain(json.dump());
    text.pop_back(); // the brace
    return text;
}

std::string line_of(const LogEntry& entry, const std::string& previous) {
    const auto body = body_of(entry, previous);
    return fmt::format("{}{}{}\"}}\n", body, hash_field, crypto::sha256_hex(body));
}

Result<LogEntry> parse_line(std::string_view line, const std::string& where,
                            const LogEntry& before) {
    const auto broken = [&](const char* why) {
        return Error{Errc::invalid, fmt::format("{}: {}", where, why),
                     "the log was changed by hand or by somebody else; compare it with a backup"};
    };
    constexpr std::size_t tail = hash_field.size() + hash_size + 2; // a quote and the brace
    if (line.size() < tail || !line.ends_with("\"}")) return broken("this is no line of a log");
    const auto body = line.substr(0, line.size() - tail);
    const auto end = line.substr(body.size());
    const std::string hash(end.substr(hash_field.size(), hash_size));
    if (!end.starts_with(hash_field) || crypto::sha256_hex(body) != hash)
        return broken("this line is not as it was written");
    const auto json = SecretJson::parse(line.begin(), line.end(), nullptr, false);
    if (!json.is_object()) return broken("this is no line of a log");
    const Fields fields(json);
    LogEntry entry;
    entry.number = static_cast<std::uint64_t>(fields.number("number"));
    entry.time = fields.number("time");
    entry.who = fields.text("who");
    entry.action = fields.text("action");
    fields.each("nodes", [&](const SecretJson& node) {
        if (node.is_string()) entry.nodes.push_back(plain(node.get_ref<const SecretString&>()));
    });
    entry.result = fields.text("result");
    entry.detail = fields.text("detail");
    entry.hash = hash;
    if (fields.text("previous") != (before.number == 0 ? no_hash : before.hash)
        || entry.number != before.number + 1)
        return broken("lines before this one are missing, were added or changed places");
    return entry;
}

struct Lines {
    std::vector<LogEntry> entries;
    std::size_t whole = 0; ///< bytes up to the end of the last whole line
};

Result<Lines> parse_log(std::string_view text, const std::string& path) {
    Lines lines;
    std::size_t number = 0;
    LogEntry before;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', lines.whole)) {
        const auto line = text.substr(lines.whole, end - lines.whole);
        auto entry = parse_line(line, fmt::format("{}:{}", path, ++number), before);
        if (!entry) return entry.error();
        before = *entry;
        lines.entries.push_back(*std::move(entry));
        lines.whole = end + 1;
    }
    return lines;
}

} // namespace

Result<LogEntry> append_log(const std::string& path, LogEntry entry) {
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) return errno_error(fmt::format("cannot open {}", path));
    if (const auto held = take_lock(file, path, Waiting::yes); !held) return held.error();
    const auto text = files::read(path);
    if (!text) return text.error();
    const auto lines = parse_log(*text, path);
    if (!lines) return lines.error();
    const auto& known = lines->entries;
    entry.number = known.size() + 1;
    entry.time = std::time(nullptr);
    const auto line = line_of(entry, known.empty() ? no_hash : known.back().hash);
    entry.hash = line.substr(line.size() - hash_size - 3, hash_size);
    const auto end = static_cast<off_t>(lines->whole);
    if (::ftruncate(file.get(), end) != 0 || ::lseek(file.get(), end, SEEK_SET) != end)
        return errno_error(fmt::format("cannot write {}", path));
    if (auto written = files::write_all(file.get(), line, path); !written)
        return std::move(written).error();
    if (::fsync(file.get()) != 0) return errno_error(fmt::format("cannot write {}", path));
    return entry;
}

Result<std::vector<LogEntry>> read_log(const std::string& path) {
    const auto text = files::read(path);
    if (!text && text.error().code == Errc::not_found) return std::vector<LogEntry>();
    if (!text) return text.error();
    auto lines = parse_log(*text, path);
    if (!lines) return std::move(lines).error();
    return std::move(lines->entries);
}

} // namespace wgkit::fleet
