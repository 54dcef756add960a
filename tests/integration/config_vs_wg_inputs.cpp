#include "config_vs_wg_inputs.hpp"

#include <array>
#include <random>

namespace wgkit::test {

namespace {

const std::string key_a = "6NTzcPxpfQWGdM5Efq7XLDjjkxTQCKHTCn2wH1GMCmA=";
const std::string key_b = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const std::string secret =
    "oKLPQTJBsxcW2ddptpTp70lCtMdNag1di6857PK/Dkw="; // tests/vectors/secrets.txt
const std::string zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

std::string interface(const std::string& lines) { return "[Interface]\n" + lines + "\n"; }
std::string peer(const std::string& lines) {
    return "[Peer]\nPublicKey = " + key_a + "\n" + lines + "\n";
}

const std::vector<std::string> interface_lines = {
    "PrivateKey = " + secret,
    "PrivateKey = " + zero,
    "PrivateKey = " + secret.substr(0, 43),
    "PrivateKey = " + secret.substr(0, 42) + "x=", // last character not canonical
    "p r i V a t e k e y = " + secret.substr(0, 20) + " " + secret.substr(20),
    "PrivateKey = " + secret + "=",
    "PrivateKey =",
    "ListenPort = 51820",
    "listenport= 51 820",
    "ListenPort = 0",
    "ListenPort = 00051820",
    "ListenPort = 65535",
    "ListenPort = 65536",
    "ListenPort = -1",
    "ListenPort = 0x10",
    "ListenPort = 51820 # office",
    "ListenPort = 51820;",
    "ListenPort ==1",
    "ListenPort",
    "ListenPort =",
    "FwMark = off",
    "FwMark = OFF",
    "FwMark = 0",
    "FwMark = 0xca6c",
    "FwMark = 0xCA6C",
    "FwMark = 0Xca6c",
    "FwMark = 0x",
    "FwMark = 0x1ffffffff",
    "FwMark = 0xffffffff",
    "FwMark = 4294967296",
    "FwMark = 010",
    "FwMark = -1",
    "FwMark = +1",
    "Address = 10.0.0.1/24",
    "Jc = 4",
    "PublicKey = " + key_a,
    "; no comment",
    "# comment",
    "[Interface]",
    "[ inter\tface ]",
    "[Interfaces]",
    "[Interface",
};

const std::vector<std::string> peer_lines = {
    "PublicKey = " + key_b,
    "PublicKey = " + key_a + " # twice",
    "PublicKey = " + zero,
    "PublicKey =",
    "PresharedKey = " + secret,
    "PresharedKey = " + zero,
    "PresharedKey = none",
    "AllowedIPs = 10.0.0.0/8",
    "AllowedIPs = 10.0.0.5/24, fd00::5/64",
    "AllowedIPs = 10.0.0.1,fd00::1",
    "AllowedIPs = 10.0.0.0/024",
    "AllowedIPs = 10.0.0.0/033",
    "AllowedIPs = 10.0.0.0/33",
    "AllowedIPs = ::/129",
    "AllowedIPs = 10.0/8",
    "AllowedIPs = 010.0.0.0/8",
    "AllowedIPs = 10.0.0.0/8,",
    "AllowedIPs = ,10.0.0.0/8",
    "AllowedIPs = 10.0.0.0/",
    "AllowedIPs = 10.0.0.0/+8",
    "AllowedIPs = 10.0.0.0/8/9",
    "AllowedIPs = 10.0.0.0/8 fd00::/8",
    "AllowedIPs = 0.0.0.0/0, ::/0",
    "AllowedIPs = ::ffff:10.0.0.1, 1::, fd00:0:0:0:0:0:0:1/128",
    "AllowedIPs = (none)",
    "AllowedIPs =",
    "AllowedIPs = +10.0.0.0/8, -10.1.0.0/16, 10.2.0.0/16",
    "AllowedIPs = + 10.0.0.0/8",
    "AllowedIPs = --10.0.0.0/8",
    "AllowedIPs = +",
    "Endpoint = 192.0.2.1:51820",
    "Endpoint = [192.0.2.1]:51820",
    "Endpoint = [2001:DB8::1]:51820",
    "Endpoint = 2001:db8::1:51820",
    "Endpoint = 2001:db8::1",
    "Endpoint = [::ffff:192.0.2.1]:1",
    "Endpoint = 127.1:1",
    "Endpoint = 0x7f000001:1",
    "Endpoint = 017.0.0.1:1",
    "Endpoint = 1.2.3.4.5:1",
    "Endpoint = 192.0.2.1:065535",
    "Endpoint = 192.0.2.1:",
    "Endpoint = 192.0.2.1",
    "Endpoint = [2001:db8::1]",
    "Endpoint = [2001:db8::1]51820",
    "Endpoint = [2001:db8::1:51820",
    "Endpoint = [fe80::1%lo]:51820",
    "Endpoint = :51820",
    "Endpoint = []:51820",
    "Endpoint = 192.0.2.1:0x10",
    "PersistentKeepalive = off",
    "PersistentKeepalive = OfF",
    "PersistentKeepalive = 0",
    "PersistentKeepalive = 025",
    "PersistentKeepalive = 65535",
    "PersistentKeepalive = 65536",
    "PersistentKeepalive = 0x19",
    "PersistentKeepalive = +25",
    "Persistent Keepalive = 2 5",
    "ListenPort = 1",
    "# laptop",
    "[Peer]",
    "[pEEr ] # next",
    "[Peers]",
    "[Peer]]",
};

const std::string whole =
    "# gateway\n[Interface]\nPrivateKey = " + secret
    + "\nListenPort = 51820\nFwMark = 0xca6c\n\n"
      "[Peer] # laptop\nPublicKey = "
    + key_a + "\nPresharedKey = " + secret
    + "\nAllowedIPs = 10.0.0.2/32, fd00::2/128\nEndpoint = 192.0.2.7:51820\n"
      "PersistentKeepalive = 25\n\n[Peer]\nPublicKey = "
    + key_b
    + "\nAllowedIPs = 10.9.0.0/16\nAllowedIPs = 10.8.0.0/16\nEndpoint = [2001:db8::7]:51820\n";

} // namespace

std::vector<std::string> grammar_table() {
    std::vector<std::string> table = {
        "",
        "\n\n",
        whole,
        "\xEF\xBB\xBF" + whole,
        "ListenPort = 1\n",
        "[Peer]\nAllowedIPs = 10.0.0.0/8\n",
        "[Interface]\r\nListenPort = 51820\r\n[Peer]\r\nPublicKey = " + key_a + "\r\n",
        "[Interface]\rListenPort = 51820\r",
        "[Interface]\vListenPort = 1\n",
        "[Interface]\n\v\fListen\tPort\v=\f1\n",
        interface("ListenPort = 1\nListenPort = 2"),
        interface("ListenPort = 1") + peer("") + interface("FwMark = 2\nListenPort = 3"),
        peer("") + peer("AllowedIPs = 10.0.0.0/8"),
        peer("AllowedIPs = 10.0.0.0/8") + "[Peer]\nPublicKey = " + key_b
            + "\nAllowedIPs = 10.0.0.0/8\n",
        peer("AllowedIPs = +10.0.0.0/8\nAllowedIPs = 10.1.0.0/16"),
        peer("AllowedIPs = 10.0.0.0/8\nAllowedIPs = -10.1.0.0/16"),
        "[Interface]\nListenPort = 1", // no line feed at the end
    };
    for (const auto& line : interface_lines) table.push_back(interface(line));
    for (const auto& line : peer_lines) table.push_back(peer(line));
    return table;
}

std::vector<std::string> quick_table() {
    const std::string listen = "[Interface]\nListenPort = 51820\n";
    return {
        whole,
        listen + "Address = 10.0.0.1/24, fd00::1/64\nAddress=10.1.0.1/24 10.2.0.1/24\n",
        listen + "address = 10.0.0.1/24 # office\r\nmTu\t=\t1420\r\n",
        listen + "DNS = 10.0.0.1 example.org\nTable = off\nSaveConfig = TRUE\n",
        listen + "PreUp = ip link\nPostUp = echo a = b # c\nPreDown=x\nPostDown = y\n",
        listen + "PostUp =\nPreUp = \nDNS =\nTable=\nMTU =\nAddress =\n",
        listen + "  # Address = 10.0.0.1\n \t MTU = 1400 \t\n",
        listen + "[Peer]\nPublicKey = " + key_a + "\nAddress = 10.0.0.1\n",
        listen + "Add ress = 10.0.0.1\n",
        listen + "SaveConfig = maybe\n",
        "[ Interface ]\nListenPort = 1\nAddress = 10.0.0.1/24\n",
        "[ Interface ]\nListenPort = 1\n",
        "[INTERFACE] # x\nMTU = 1420\nL i s t e n Port = 1\n",
        "[Peer]\nPublicKey = " + key_a + "\n[Interface]\nMTU = 1420\nListenPort = 1\n",
        "Address = 10.0.0.1/24\n[Interface]\nListenPort = 1\n",
        "[Foo]\nAddress = 10.0.0.1/24\n",
        listen + "Table = 1234\n[Interface]\nMTU = 1420\nFwMark = 1\n",
    };
}

std::vector<std::string> generated(unsigned seed, std::size_t count) {
    std::mt19937 random(seed); // the standard fixes its sequence, unlike that of distributions
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const auto pick = [&](const std::vector<std::string>& from) {
        return from[below(from.size())];
    };
    using namespace std::string_view_literals;
    constexpr auto alphabet = "0123456789abcfFxX.:/,+-*[]=# \t\r\n\v%_AoP\0"sv; // with a NUL byte
    std::vector<std::string> files;
    while (files.size() < count) {
        std::string text;
        if (below(2) == 0) {
            text = interface("");
            for (auto n = below(3); n > 0; --n) text += pick(interface_lines) + "\n";
            for (auto peers = below(3); peers > 0; --peers) {
                text += peer("");
                for (auto n = below(3); n > 0; --n) text += pick(peer_lines) + "\n";
            }
        } else {
            text =
                below(2) == 0 ? whole : peer(pick(peer_lines)) + interface(pick(interface_lines));
            for (auto n = 1 + below(3); n > 0; --n) {
                const auto at = below(text.size());
                const char c = alphabet[below(alphabet.size())];
                switch (below(4)) {
                case 0:
                    text[at] = c;
                    break;
                case 1:
                    text.insert(at, 1, c);
                    break;
                case 2:
                    text.erase(at, 1);
                    break;
                default:
                    text.insert(at, text.substr(below(text.size()), below(12)));
                    break;
                }
            }
        }
        files.push_back(std::move(text));
    }
    return files;
}

} // namespace wgkit::test
