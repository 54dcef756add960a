#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "config/key.hpp"
#include "wgkit/config.hpp"

namespace wgkit::config {

namespace {

/// Appends lines to the text of one file.
class Writer {
  public:
    void reserve(std::size_t size) { text_.reserve(size); }
    SecretString take() && { return std::move(text_); }

    void append(std::string_view text) { text_ += text; }
    /// A line feed in a value must not begin a line that means something.
    void append_flat(std::string_view text) {
        for (const char c : text) text_ += c == '\n' || c == '\r' || c == '\0' ? ' ' : c;
    }
    void comment(std::string_view comment) {
        text_ += comment.empty() || comment.front() == '#' ? "#" : "# ";
        append_flat(comment);
        text_ += '\n';
    }
    void comments(const std::vector<std::string>& lines) {
        for (const auto& line : lines) comment(line);
    }
    void blank_unless_first() {
        if (!text_.empty()) text_ += '\n';
    }
    void end_line(std::string_view beside) {
        if (beside.empty()) {
            text_ += '\n';
        } else {
            text_ += ' ';
            comment(beside);
        }
    }

  private:
    SecretString text_;
};

const Comments& comments_of(const Origins& origins, Key key, std::size_t index) {
    static const Comments none;
    const auto* origin = origins.find(key, index);
    return origin == nullptr ? none : origin->comments;
}

template <class Append>
void write_scalar(Writer& out, const Origins& origins, Key key, Append&& append) {
    const auto& comments = comments_of(origins, key, 0);
    out.comments(comments.above);
    out.append(to_string(key));
    out.append(" = ");
    append();
    out.end_line(comments.beside);
}

/// Entries stay on the lines they were read from; those made by a program share one.
template <class T, class Append, class Break>
void write_list(Writer& out, const Origins& origins, Key key, const std::vector<T>& list,
                Append&& append, Break&& must_break) {
    const auto begins_line = [&](std::size_t i) {
        const Mark before = origins.mark(key, i - 1);
        const Mark here = origins.mark(key, i);
        return must_break(i) || !comments_of(origins, key, i).empty()
               || (before.line != 0 && here.line != 0 && before.line != here.line);
    };
    for (std::size_t i = 0; i < list.size();) {
        const auto& comments = comments_of(origins, key, i);
        out.comments(comments.above);
        out.append(to_string(key));
        out.append(" = ");
        append(list[i]);
        for (++i; i < list.size() && !begins_line(i); ++i) {
            out.append(", ");
            append(list[i]);
        }
        out.end_line(comments.beside);
    }
}

void write_hooks(Writer& out, const Origins& origins, Key key,
                 const std::vector<std::string>& commands) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
        out.comments(comments_of(origins, key, i).above);
        out.append(to_string(key));
        out.append(" = ");
        out.append_flat(commands[i]); // no comment beside it: '#' would be part of the command
        out.append("\n");
    }
}

void write_field(Writer& out, const Interface& interface, Key key) {
    const auto scalar = [&](auto&& append) { write_scalar(out, interface.origins, key, append); };
    const auto list = [&](const auto& values, auto&& append) {
        write_list(out, interface.origins, key, values, append, [](std::size_t) { return false; });
    };
    const auto hooks = [&](const std::vector<std::string>& commands) {
        write_hooks(out, interface.origins, key, commands);
    };
    switch (key) {
    case Key::private_key:
        return scalar([&] { out.append(reveal_base64(*interface.private_key)); });
    case Key::listen_port:
        return scalar([&] { out.append(fmt::format("{}", *interface.listen_port)); });
    case Key::fw_mark:
        return scalar([&] {
            out.append(*interface.fw_mark == 0 ? "off" : fmt::format("{:#x}", *interface.fw_mark));
        });
    case Key::address:
        return list(interface.addresses, [&](const Prefix& p) { out.append(to_string(p)); });
    case Key::dns:
        return list(interface.dns, [&](const std::string& entry) { out.append_flat(entry); });
    case Key::mtu:
        return scalar([&] { out.append(fmt::format("{}", *interface.mtu)); });
    case Key::table:
        return scalar([&] { out.append_flat(*interface.table); });
    case Key::pre_up:
        return hooks(interface.pre_up);
    case Key::post_up:
        return hooks(interface.post_up);
    case Key::pre_down:
        return hooks(interface.pre_down);
    case Key::post_down:
        return hooks(interface.post_down);
    default: // save_config; the peers' keys never come here
        return scalar([&] { out.append(*interface.save_config ? "true" : "false"); });
    }
}

void write_allowed_ips(Writer& out, const Peer& peer) {
    // Signs count unless a line without any follows: such a line begins after the last sign.
    std::size_t unsigned_from = 0;
    if (peer.replace_allowed_ips)
        for (std::size_t i = 0; i < peer.allowed_ips.size(); ++i)
            if (peer.allowed_ips[i].sign != Sign::none) unsigned_from = i + 1;
    write_list(
        out, peer.origins, Key::allowed_ips, peer.allowed_ips,
        [&](const AllowedIp& entry) {
            if (entry.sign != Sign::none) out.append(entry.sign == Sign::add ? "+" : "-");
            out.append(to_string(entry.prefix));
        },
        [&](std::size_t i) { return i == unsigned_from; });
}

void write_field(Writer& out, const Peer& peer, Key key) {
    const auto scalar = [&](auto&& append) { write_scalar(out, peer.origins, key, append); };
    switch (key) {
    case Key::public_key:
        return scalar([&] { out.append(to_string(peer.public_key)); });
    case Key::preshared_key:
        return scalar([&] { out.append(reveal_base64(*peer.preshared_key)); });
    case Key::allowed_ips:
        return write_allowed_ips(out, peer);
    case Key::endpoint:
        return scalar([&] { out.append_flat(to_string(*peer.endpoint)); });
    default: // persistent_keepalive; the interface's keys never come here
        return scalar([&] {
            const auto seconds = peer.persistent_keepalive->count();
            out.append(seconds == 0 ? "off" : fmt::format("{}", seconds));
        });
    }
}

bool has(const Interface& interface, Key key) {
    switch (key) {
    case Key::private_key:
        return interface.private_key.has_value();
    case Key::listen_port:
        return interface.listen_port.has_value();
    case Key::fw_mark:
        return interface.fw_mark.has_value();
    case Key::address:
        return !interface.addresses.empty();
    case Key::dns:
        return !interface.dns.empty();
    case Key::mtu:
        return interface.mtu.has_value();
    case Key::table:
        return interface.table.has_value();
    case Key::pre_up:
        return !interface.pre_up.empty();
    case Key::post_up:
        return !interface.post_up.empty();
    case Key::pre_down:
        return !interface.pre_down.empty();
    case Key::post_down:
        return !interface.post_down.empty();
    case Key::save_config:
        return interface.save_config.has_value();
    default:
        return false;
    }
}

bool has(const Peer& peer, Key key) {
    switch (key) {
    case Key::public_key:
        return true;
    case Key::preshared_key:
        return peer.preshared_key.has_value();
    case Key::allowed_ips:
        return !peer.allowed_ips.empty();
    case Key::endpoint:
        return peer.endpoint.has_value();
    case Key::persistent_keepalive:
        return peer.persistent_keepalive.has_value();
    default:
        return false;
    }
}

/// Header, fields and comments. Fields keep the order they were read in; others follow.
template <class Of>
void write_section(Writer& out, std::string_view header, const Of& section) {
    out.blank_unless_first();
    out.comments(section.comments.above);
    out.append(header);
    out.end_line(section.comments.beside);
    out.comments(section.comments.below);

    std::array<Key, 17> present{};
    std::size_t count = 0;
    for (const auto& key : all_keys())
        if (has(section, key.key)) present[count++] = key.key;
    if (!section.origins.empty())
        std::sort(present.begin(), present.begin() + count, [&](Key a, Key b) {
            const Mark at = section.origins.mark(a);
            const Mark bt = section.origins.mark(b);
            return std::tuple(at.line == 0, at, a) < std::tuple(bt.line == 0, bt, b);
        });
    for (std::size_t i = 0; i < count; ++i) write_field(out, section, present[i]);
    out.comments(section.comments.end);
}

bool is_there(const Interface& interface) {
    if (interface.mark.line != 0 || !interface.comments.empty()) return true;
    const auto keys = all_keys();
    return std::any_of(keys.begin(), keys.end(),
                       [&](const KeyInfo& key) { return has(interface, key.key); });
}

} // namespace

SecretString write(const Config& config) {
    constexpr std::size_t usual_section = 256;
    Writer out;
    out.reserve((config.peers.size() + 1) * usual_section);
    out.comments(config.comments);
    if (is_there(config.interface)) write_section(out, "[Interface]", config.interface);
    for (const auto& peer : config.peers) write_section(out, "[Peer]", peer);
    return std::move(out).take();
}

} // namespace wgkit::config
