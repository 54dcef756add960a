#include <algorithm>

#include "support/catch.hpp"
#include "wgkit/config.hpp"

using namespace wgkit;
using namespace wgkit::config;

namespace {

constexpr const char* key_a = "6NTzcPxpfQWGdM5Efq7XLDjjkxTQCKHTCn2wH1GMCmA=";
constexpr const char* key_b = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
constexpr const char* secret = "oKLPQTJBsxcW2ddptpTp70lCtMdNag1di6857PK/Dkw=";

std::string interface(const std::string& lines) { return "[Interface]\n" + lines + "\n"; }
std::string peer(const std::string& lines) {
    return interface("ListenPort = 1") + "[Peer]\nPublicKey = " + key_a + "\n" + lines + "\n";
}

/// "error bad-port 2:14" of each finding.
std::vector<std::string> findings(const std::string& text, Dialect dialect = Dialect::wg_quick) {
    std::vector<std::string> list;
    const auto parsed = parse(text, "wg0.conf", {dialect});
    for (const auto& one : parsed.diagnostics.all())
        list.push_back((one.severity == Severity::error ? "error " : "warning ") + one.code + " "
                       + std::to_string(one.mark.line) + ":" + std::to_string(one.mark.column));
    return list;
}

using List = std::vector<std::string>;

struct Case {
    const char* line;
    const char* finding; ///< "" for none
};

} // namespace

TEST_CASE("a whole file is understood") {
    const auto parsed =
        parse(std::string("[Interface]\nPrivateKey = ") + secret
                  + "\nListenPort = 51820\nFwMark = 0xca6c\nAddress = 10.0.0.1/24, fd00::1/64\n"
                    "DNS = 10.0.0.53 example.org\nMTU = 1420\nTable = auto\nPreUp = a\n"
                    "PostUp = b = c\nPreDown = d\nPostDown = e %i\nSaveConfig = FALSE\n"
                    "[Peer]\n# laptop\nPublicKey = "
                  + key_a + "\nPresharedKey = " + secret
                  + "\nAllowedIPs = 10.0.0.2, ::/0\nEndpoint = gw.example.org:1\n"
                    "PersistentKeepalive = off\n",
              "wg0.conf");
    CHECK(parsed.diagnostics.empty());
    const auto& interface = parsed.config.interface;
    CHECK(std::string(reveal_base64(*interface.private_key)) == secret);
    CHECK(interface.listen_port == 51820);
    CHECK(interface.fw_mark == 0xca6cU);
    CHECK(to_string(interface.addresses.at(1)) == "fd00::1/64");
    CHECK(interface.dns == List{"10.0.0.53", "example.org"});
    CHECK(interface.mtu == 1420);
    CHECK(interface.table == "auto");
    CHECK(interface.post_up == List{"b = c"});
    CHECK(interface.post_down == List{"e %i"});
    CHECK(interface.save_config == false);
    const auto& peer = parsed.config.peers.at(0);
    CHECK(peer.comments.below == List{"laptop"});
    CHECK(to_string(peer.allowed_ips.at(0).prefix) == "10.0.0.2/32");
    CHECK(peer.endpoint->host == "gw.example.org");
    CHECK(peer.persistent_keepalive == std::chrono::seconds{0});
    CHECK(peer.origins.mark(Key::allowed_ips, 1) == Mark{18, 24});
}

TEST_CASE("what is absent is not the same as off") {
    const auto absent = parse(peer(""), "f").config;
    CHECK_FALSE(absent.interface.fw_mark);
    CHECK_FALSE(absent.peers[0].persistent_keepalive);
    CHECK(parse(interface("FwMark = off"), "f").config.interface.fw_mark == 0U);
}

TEST_CASE("mistakes in the interface are reported where they stand") {
    const Case cases[] = {
        {"ListenPort = 70000", "error bad-port 2:14"},
        {"ListenPort = ntp", "error bad-port 2:14"},
        {"FwMark = 0Xca6c", "error bad-fwmark 2:10"},
        {"FwMark = 0x100000000", "error bad-fwmark 2:10"},
        {"PrivateKey = abc", "error bad-key 2:14"},
        {"ListenPort =", "error empty-value 2:1"},
        {"ListenPort = # later", "error empty-value 2:1"},
        {"ListenPrt = 1", "error unknown-key 2:1"},
        {"Add ress = 10.0.0.1", "error unknown-key 2:1"},
        {"Endpoint = a:1", "error wrong-section 2:1"},
        {"just words", "error not-a-field 2:1"},
        {"Address = 10.0.0.1, 10.0.0", "error bad-address 2:21"},
        {"DNS = 10.0.0", "error bad-dns 2:7"},
        {"DNS = 10.0.0.1, ex!mple", "error bad-dns 2:17"},
        {"MTU = 99", "error bad-mtu 2:7"},
        {"Table = a b", "error bad-table 2:9"},
        {"SaveConfig = 1", "error bad-save-config 2:14"},
    };
    for (const auto& one : cases) CHECK(findings(interface(one.line)) == List{one.finding});
}

TEST_CASE("mistakes in a peer are reported where they stand") {
    const Case cases[] = {
        {"PresharedKey = abc", "error bad-key 5:16"},
        {"AllowedIPs = 10.0.0.0/8,", "error bad-allowed-ip 5:25"},
        {"AllowedIPs = ::/0, 10.0.0.0/33", "error bad-allowed-ip 5:20"},
        {"AllowedIPs = 10.0.0.0/8 ::/0", "error bad-allowed-ip 5:14"},
        {"Endpoint = gw", "error bad-endpoint 5:12"},
        {"Endpoint = gw:0", "error bad-endpoint 5:12"},
        {"Endpoint = 2001:db8::1", "error bad-endpoint 5:12"},
        {"PersistentKeepalive = 0x19", "error bad-keepalive 5:23"},
        {"Address = 10.0.0.1", "error wrong-section 5:1"},
    };
    for (const auto& one : cases) CHECK(findings(peer(one.line)) == List{one.finding});
}

TEST_CASE("what wg takes but few mean is a warning") {
    const Case cases[] = {
        {"AllowedIPs = 10.0.0.5/24", "warning host-bits 5:14"},
        {"Endpoint = 2001:db8::5:1", "warning bare-ipv6 5:12"},
        {"Endpoint = [192.0.2.1]:1", "warning bracketed-name 5:12"},
        {"Endpoint = 127.1:1", "warning legacy-ipv4 5:12"},
        {"PersistentKeepalive = 91", "warning long-keepalive 5:23"},
        {"PersistentKeepalive = 90", ""},
        {"AllowedIPs = ::/0, ::/0", "warning duplicate-allowed-ip 5:20"},
        {"AllowedIPs = +::/0\nAllowedIPs = 10.0.0.0/8", "warning mixed-signs 5:14"},
        {"AllowedIPs = +::/0, 10.0.0.0/8", ""},
        {"PresharedKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "warning zero-key 5:16"},
    };
    for (const auto& one : cases)
        CHECK(findings(peer(one.line)) == (*one.finding == '\0' ? List{} : List{one.finding}));
    const std::string listen = "ListenPort = 1\n";
    const Case quick[] = {
        {"SaveConfig = true", "warning save-config 3:14"},
        {"Table = OFF", "warning table-case 3:9"},
        {"DNS = example.org", "warning search-only-dns 3:7"},
        {"MTU = 1000", "warning low-mtu 3:7"},
        {"PostUp =", "warning empty-value 3:1"},
        {"PostUp = a # b", "warning hash-in-hook 3:10"},
        {"ListenPort = 2", "warning repeated-key 3:14"},
    };
    for (const auto& one : quick)
        CHECK(findings(interface(listen + one.line)) == List{one.finding});
    CHECK(findings("") == List{"warning empty-config 0:0"});
}

TEST_CASE("two peers that get in each other's way are reported with both places") {
    const auto two = [](const std::string& key, const std::string& ips) {
        return peer("AllowedIPs = 10.0.0.0/24") + "[Peer]\nPublicKey = " + key
               + "\nAllowedIPs = " + ips;
    };
    CHECK(findings(two(key_b, "10.0.1.0/24")).empty());
    CHECK(findings(two(key_a, "10.0.1.0/24")) == List{"warning duplicate-peer 7:13"});
    const auto found = parse(two(key_b, "10.0.0.0/24"), "f").diagnostics.all();
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "duplicate-allowed-ip");
    CHECK(found[0].notes.at(0).mark == Mark{5, 14});
    const auto own = to_string(public_key(*parse_private_key(secret)));
    CHECK(findings(std::string("[Interface]\nPrivateKey=") + secret + "\n[Peer]\nPublicKey=" + own)
          == List{"warning own-key 4:11"});
}

TEST_CASE("structure is checked") {
    CHECK(findings("ListenPort = 1\n") == List{"error no-section 1:1"});
    CHECK(findings("[Interfaces]\nListenPort = 1\n") == List{"error unknown-section 1:1"});
    CHECK(findings(interface("FwMark = 1") + "[Peer]\n") == List{"error no-public-key 3:1"});
    CHECK(findings("\xEF\xBB\xBF[Interface]\nListenPort = 1") == List{"error encoding 1:1"});
    CHECK(findings(std::string("\xFF\xFE[\0", 4)) == List{"error encoding 1:1"});
    CHECK(findings(std::string("[Interface]\nFwMark = 1\0", 23)) == List{"error encoding 2:11"});
}

TEST_CASE("the dialects differ as their readers do") {
    const auto quick = interface("ListenPort = 1\nMTU = 1420");
    CHECK(findings(quick).empty());
    CHECK(findings(quick, Dialect::wg) == List{"error wg-quick-key 3:1"});
    const std::string spaced = "[ Interface ]\nListenPort = 1\n";
    CHECK(findings(spaced).empty());
    CHECK(findings(spaced + "MTU = 1420") == List{"error spaced-section 3:1"});
}

TEST_CASE("likely typing errors get a suggestion") {
    const auto hint = [](const std::string& text) {
        return parse(text, "f").diagnostics.all().at(0).hint;
    };
    CHECK(hint(interface("PrivatKey = x")) == "did you mean PrivateKey?");
    CHECK(hint(peer("AllowedIP = ::/0")) == "did you mean AllowedIPs?");
    CHECK(hint("[Pear]\n") == "did you mean [Peer]?");
    CHECK(hint(peer("Endpoint = 2001:db8::1")) == "write [2001:db8::1]:51820");
}

TEST_CASE("no finding repeats a key, wherever it was put") {
    const std::string key = secret;
    for (const std::string& text :
         List{key, "[Interface]\n" + key, interface(key + key), interface("ListenPort = " + key),
              interface("Address = " + key), interface("DNS = " + key), interface("Table = " + key),
              interface("FwMark = " + key), interface("MTU = " + key), interface("[" + key + "]"),
              interface("PrivateKey " + key), interface("PrivateKey = " + key + "x"),
              interface("SaveConfig = " + key), peer("Endpoint = " + key),
              peer("Endpoint = " + key + ":1"), peer("AllowedIPs = " + key),
              peer("PersistentKeepalive = " + key), peer("PublicKey = x" + key)}) {
        const auto parsed = parse(text, "f");
        CHECK(parsed.diagnostics.errors() > 0);
        for (const auto& finding : parsed.diagnostics.all())
            CHECK(to_text(finding, text).find(key.substr(4, 20)) == std::string::npos);
    }
}
