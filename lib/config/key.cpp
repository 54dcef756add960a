#include "config/key.hpp"

#include <algorithm>
#include <array>

#include "util/ascii.hpp"

namespace wgkit::config {

namespace {

constexpr std::array keys{
    KeyInfo{Key::private_key, "PrivateKey", Section::interface, false, false},
    KeyInfo{Key::listen_port, "ListenPort", Section::interface, false, false},
    KeyInfo{Key::fw_mark, "FwMark", Section::interface, false, false},
    KeyInfo{Key::address, "Address", Section::interface, true, true},
    KeyInfo{Key::dns, "DNS", Section::interface, true, true},
    KeyInfo{Key::mtu, "MTU", Section::interface, true, false},
    KeyInfo{Key::table, "Table", Section::interface, true, false},
    KeyInfo{Key::pre_up, "PreUp", Section::interface, true, true},
    KeyInfo{Key::post_up, "PostUp", Section::interface, true, true},
    KeyInfo{Key::pre_down, "PreDown", Section::interface, true, true},
    KeyInfo{Key::post_down, "PostDown", Section::interface, true, true},
    KeyInfo{Key::save_config, "SaveConfig", Section::interface, true, false},
    KeyInfo{Key::public_key, "PublicKey", Section::peer, false, false},
    KeyInfo{Key::preshared_key, "PresharedKey", Section::peer, false, false},
    KeyInfo{Key::allowed_ips, "AllowedIPs", Section::peer, false, true},
    KeyInfo{Key::endpoint, "Endpoint", Section::peer, false, false},
    KeyInfo{Key::persistent_keepalive, "PersistentKeepalive", Section::peer, false, false},
};

} // namespace

std::span<const KeyInfo> all_keys() { return keys; }

const KeyInfo& info(Key key) { return keys[static_cast<std::size_t>(key)]; }

const KeyInfo* find_key(std::string_view name) {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const KeyInfo& k) { return ascii::iequals(k.name, name); });
    return found == keys.end() ? nullptr : &*found;
}

bool is_hook(Key key) { return key >= Key::pre_up && key <= Key::post_down; }

std::string_view to_string(Key key) { return info(key).name; }

} // namespace wgkit::config
