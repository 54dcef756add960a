#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/secret.hpp"

/// Configuration files of wg(8) and wg-quick(8): read, checked and written without any I/O.
/// Source: the CONFIGURATION FILE FORMAT sections of wg(8) and wg-quick(8); where wgkit differs on
/// purpose, wgkit-config(1) lists it.
namespace wgkit::config {

/// The keys of a file, in the order `write` gives to those that were not read from a file.
enum class Key : std::uint8_t {
    private_key,
    listen_port,
    fw_mark,
    address,
    dns,
    mtu,
    table,
    pre_up,
    post_up,
    pre_down,
    post_down,
    save_config,
    public_key,
    preshared_key,
    allowed_ips,
    endpoint,
    persistent_keepalive,
};

/// The spelling of the manual pages, e.g. "PersistentKeepalive".
WGKIT_API std::string_view to_string(Key key);

/// Comments of a field, a line each, without '#' and the white space around.
struct Comments {
    std::vector<std::string> above; ///< whole lines before it
    std::string beside;             ///< at the end of its line

    /// Whether there is no comment.
    bool empty() const { return above.empty() && beside.empty(); }
};

/// Comments of a section. `below` is where people put a peer's name.
struct SectionComments {
    std::vector<std::string> above; ///< directly before the header, without a blank line between
    std::string beside;             ///< at the end of the header's line
    std::vector<std::string> below; ///< between the header and the first field
    std::vector<std::string> end;   ///< after the last field

    /// Whether there is no comment.
    bool empty() const { return above.empty() && beside.empty() && below.empty() && end.empty(); }
};

/// Where a value was written, and the comments on it.
struct Origin {
    Mark mark; ///< the value's first character
    Comments comments;
};

/// The origins of a section's values: filled by `parse`, empty in configs made by a program.
/// `write` takes the order of fields, the line breaks of lists and the comments from it.
class WGKIT_API Origins {
  public:
    /// `index` counts the values of a list key.
    Origin& at(Key key, std::size_t index = 0) { return map_[{key, index}]; }
    /// Null if nothing is known of the value.
    const Origin* find(Key key, std::size_t index = 0) const;
    /// Where the value stands; {0, 0} if it was not read from a file.
    Mark mark(Key key, std::size_t index = 0) const;
    /// Whether nothing is known of any value.
    bool empty() const { return map_.empty(); }

  private:
    std::map<std::pair<Key, std::size_t>, Origin> map_;
};

/// The [Interface] section(s), merged. Absent keys are nullopt or empty lists.
struct Interface {
    std::optional<PrivateKey> private_key;
    std::optional<std::uint16_t> listen_port; ///< 0: chosen by the kernel
    std::optional<std::uint32_t> fw_mark;     ///< 0: `off`
    // From here on wg-quick only.
    std::vector<Prefix> addresses; ///< with their host bits
    std::vector<std::string> dns;  ///< addresses of servers and search domains
    std::optional<std::uint16_t> mtu;
    std::optional<std::string> table; ///< `off`, `auto`, a number or a name, as written
    std::vector<std::string> pre_up;  ///< shell commands, never run by wgkit's library
    std::vector<std::string> post_up;
    std::vector<std::string> pre_down;
    std::vector<std::string> post_down;
    std::optional<bool> save_config;

    Mark mark; ///< the first header; {0, 0} if there is none
    SectionComments comments;
    Origins origins;
};

/// What an entry of AllowedIPs asks for: `10.0.0.0/8`, `+10.0.0.0/8` or `-10.0.0.0/8`.
/// Signs need wg 1.0.20250521.
enum class Sign : char { none = 0, add = '+', remove = '-' };

/// A word of an AllowedIPs line (wg(8)).
struct AllowedIp {
    Prefix prefix; ///< as written; the kernel clears host bits
    Sign sign = Sign::none;

    auto operator<=>(const AllowedIp&) const = default;
};

/// One [Peer] section.
struct Peer {
    PublicKey public_key; ///< all zero only if the section has none, which is an error
    std::optional<PresharedKey> preshared_key;
    std::vector<AllowedIp> allowed_ips;
    /// Whether allowed_ips replaces what the device has. As in wg, the last AllowedIPs line
    /// decides: a sign anywhere in it makes the section a change instead.
    bool replace_allowed_ips = true;
    std::optional<Endpoint> endpoint;
    std::optional<std::chrono::seconds> persistent_keepalive; ///< 0: `off`

    Mark mark; ///< the header
    SectionComments comments;
    Origins origins;
};

/// A whole file. Move-only, because its keys are.
struct Config {
    Interface interface;
    std::vector<Peer> peers;
    std::vector<std::string> comments; ///< at the top, before a blank line
};

/// Whose rules a file is read by: wg-quick's files may hold more keys.
enum class Dialect { wg, wg_quick };

/// How text is read and written.
struct Options {
    Dialect dialect = Dialect::wg_quick;
};

/// What was understood, and everything that was found wrong. With errors the config is incomplete:
/// do not use it.
struct Parsed {
    Config config;
    Diagnostics diagnostics;
};

/// Reads a file. Errors: all findings at once, sorted, each with file:line:col, a stable code and a
/// hint; values of key fields are never quoted. `file` is only used to name the file.
WGKIT_API Parsed parse(std::string_view text, std::string file, Options options = {});

/// The canonical text: one spelling, one spacing, comments kept, fields in the order they were
/// read. write(parse(write(x))) == write(x).
WGKIT_API SecretString write(const Config& config);

} // namespace wgkit::config
