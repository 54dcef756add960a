#include "rotate/boot_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "device/hooks.hpp"
#include "util/ascii.hpp"
#include "wgkit/config.hpp"
#include "wgkit/files.hpp"
#include "wgkit/key_files.hpp"

namespace wgkit::rotate {

namespace {

using config::Key;

struct TextEdit {
    std::size_t at = 0;
    std::size_t length = 0;
    SecretString text;
};

/// Places in a text by their marks.
class Places {
  public:
    explicit Places(std::string_view text) : end_(text.size()) {
        starts_.push_back(0);
        for (std::size_t i = 0; i < text.size(); ++i)
            if (text[i] == '\n') starts_.push_back(i + 1);
    }
    std::size_t of(const Mark& mark) const { return line(mark) + mark.column - 1; }
    std::size_t line(const Mark& mark) const { return starts_.at(mark.line - 1); }
    /// Whether the text ends in the middle of the line.
    bool is_last(const Mark& mark) const { return mark.line >= starts_.size(); }
    std::size_t next_line(const Mark& mark) const {
        return is_last(mark) ? end_ : starts_[mark.line];
    }

  private:
    std::size_t end_;
    std::vector<std::size_t> starts_;
};

class KeyEdits {
  public:
    KeyEdits(std::string_view text, const config::Config& config)
        : places_(text), config_(config) {}

    void private_key(const PrivateKey& wanted) {
        const auto& interface = config_.interface;
        if (interface.private_key && !equal(*interface.private_key, wanted))
            replace(interface.origins.mark(Key::private_key), reveal_base64(wanted));
    }

    void peer(const config::Peer& peer, const WantedPeer& wanted, const WantedPeer& unwanted) {
        if (peer.public_key != wanted.public_key)
            replace(peer.origins.mark(Key::public_key), SecretString(to_string(wanted.public_key)));
        // One that the rotation leaves alone may well not be in the file.
        if (equal(*wanted.preshared_key, *unwanted.preshared_key)) return;
        const bool none = is_zero(*wanted.preshared_key);
        if (peer.preshared_key && equal(*peer.preshared_key, *wanted.preshared_key)) return;
        if (peer.preshared_key && none)
            remove_line(peer.origins.mark(Key::preshared_key));
        else if (peer.preshared_key)
            replace(peer.origins.mark(Key::preshared_key), reveal_base64(*wanted.preshared_key));
        else if (!none)
            add_line(peer.origins.mark(Key::public_key),
                     SecretString("PresharedKey = ").append(reveal_base64(*wanted.preshared_key)));
    }

    SecretString applied_to(std::string_view text) && {
        std::sort(edits_.begin(), edits_.end(),
                  [](const TextEdit& a, const TextEdit& b) { return a.at < b.at; });
        SecretString out;
        std::size_t done = 0;
        for (const auto& edit : edits_) {
            out.append(text.substr(done, edit.at - done)).append(edit.text);
            done = edit.at + edit.length;
        }
        return out.append(text.substr(done));
    }

  private:
    void replace(const Mark& mark, SecretString key) {
        edits_.push_back({places_.of(mark), key_base64_length, std::move(key)});
    }
    void remove_line(const Mark& mark) {
        const std::size_t at = places_.line(mark);
        edits_.push_back({at, places_.next_line(mark) - at, {}});
    }
    void add_line(const Mark& above, const SecretString& line) {
        const bool is_last = places_.is_last(above);
        SecretString text(is_last ? "\n" : "");
        text.append(line).append(is_last ? "" : "\n");
        edits_.push_back({places_.next_line(above), 0, std::move(text)});
    }

    Places places_;
    const config::Config& config_;
    std::vector<TextEdit> edits_;
};

Result<void> replace_if_other(const std::string& path, std::string_view before,
                              std::string_view text) {
    if (before == text) return {};
    return files::replace(path, text, files::mode_of(path));
}

Result<void> write_key_file(const std::string& path, const PrivateKey& wanted) {
    const auto present = read_private_key(path, true);
    if (present && equal(*present, wanted)) return {};
    if (!present && present.error().code != Errc::not_found) return present.error();
    return files::replace(path, reveal_base64(wanted).append("\n"), 0600);
}

} // namespace

Result<SecretString> with_wanted_keys(std::string_view text, const State& state) {
    const auto parsed = config::parse(text, state.file);
    if (parsed.diagnostics.errors() != 0)
        return Error{Errc::invalid, fmt::format("{} has errors: it is left as it is", state.file),
                     fmt::format("wgkit config check {} shows them", state.file)};
    const WantedDevice& wanted = state.wanted();
    const WantedDevice& unwanted = state.unwanted();
    KeyEdits edits(text, parsed.config);
    edits.private_key(*wanted.private_key);
    std::unordered_map<PublicKey, std::size_t> indices;
    for (std::size_t i = 0; i < wanted.peers.size(); ++i) {
        indices.emplace(wanted.peers[i].public_key, i);
        indices.emplace(unwanted.peers[i].public_key, i);
    }
    for (const auto& peer : parsed.config.peers)
        if (const auto at = indices.find(peer.public_key); at != indices.end())
            edits.peer(peer, wanted.peers[at->second], unwanted.peers[at->second]);
    return std::move(edits).applied_to(text);
}

Result<void> write_boot_files(const State& state) {
    const auto text = files::read(state.file);
    if (!text) return text.error();
    const auto wanted = with_wanted_keys(*text, state);
    if (!wanted) return wanted.error();
    auto hooks = config::parse(*text, state.file).config.interface.post_up;
    if (const auto key = take_key_path(hooks, state.interface))
        if (auto written = write_key_file(*key, *state.wanted().private_key); !written)
            return written;
    return replace_if_other(state.file, *text, *wanted);
}

} // namespace wgkit::rotate
