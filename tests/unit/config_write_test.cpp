#include "support/catch.hpp"
#include "wgkit/config.hpp"

using namespace wgkit;
using namespace wgkit::config;

namespace {

constexpr const char* first_key = "6NTzcPxpfQWGdM5Efq7XLDjjkxTQCKHTCn2wH1GMCmA=";
constexpr const char* second_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

std::string format(const std::string& text) {
    const auto parsed = parse(text, "wg0.conf");
    for (const auto& finding : parsed.diagnostics.all())
        if (finding.severity == Severity::error) FAIL(to_text(finding));
    const auto once = write(parsed.config);
    CHECK(write(parse(once, "wg0.conf").config) == once);
    return std::string(once);
}

} // namespace

TEST_CASE("the canonical text has one spelling and one spacing") {
    CHECK(format(std::string("\r\n\r\n[ inter FACE ]\r\nlisten port=51 820\r\nfwmark=0xCA6C\r\n"
                             "[peer]\npublickey=")
                 + first_key + "\nallowedips=10.0.0.0/8,FD00::/8\nendpoint=[2001:DB8::1]:1")
          == std::string("[Interface]\nListenPort = 51820\nFwMark = 0xca6c\n\n[Peer]\nPublicKey = ")
                 + first_key + "\nAllowedIPs = 10.0.0.0/8, fd00::/8\nEndpoint = [2001:db8::1]:1\n");
}

TEST_CASE("comments stay with what they explain") {
    const std::string text = std::string("# Office gateway\n# kept by ops\n\n"
                                         "# the interface\n[Interface] # eth0 side\n# gw\n"
                                         "ListenPort = 51820 # open in the firewall\n"
                                         "# both families\nAddress = 10.0.0.1/24, fd00::1/64\n"
                                         "Address = 10.1.0.1/24 # second site\n"
                                         "## DNS = 1.1.1.1\n\n"
                                         "[Peer]\n# laptop\nPublicKey = ")
                             + first_key + "\n\n# phone\n[Peer]\n#\nPublicKey = " + second_key
                             + "\n# end\n";
    CHECK(format(text) == text);
}

TEST_CASE("fields keep the order they were read in") {
    const std::string text = "[Interface]\nMTU = 1420\nPostUp = b\nPostUp = a # b\nTable = off\n"
                             "ListenPort = 1\nDNS = 10.0.0.1, example.org\nSaveConfig = false\n";
    CHECK(format(text) == text);
}

TEST_CASE("comments of a repeated key and of a second interface section are not lost") {
    CHECK(format("[Interface] # a\nListenPort = 1 # b\n\n# c\n[Interface] # d\n# e\nListenPort = 2 "
                 "# f\n")
          == "[Interface] # a\n# b\n# c\n# d\n# e\nListenPort = 2 # f\n");
}

TEST_CASE("a blank line before a field does not part the comments after it") {
    // Found by the fuzzer: the blank line was still counted at the next header.
    CHECK(format(std::string("[Interface]\n# a\n\nListenPort = 1\n# b\n[Peer]\nPublicKey = ")
                 + first_key)
          == std::string("[Interface]\n# a\nListenPort = 1\n\n# b\n[Peer]\nPublicKey = ")
                 + first_key + "\n");
    CHECK(format("[Interface]\n# a\n\nListenPort = 1\n[Interface]\n")
          == "[Interface]\n# a\nListenPort = 1\n");
}

TEST_CASE("a config made by a program is written in the manual's order") {
    Config config;
    config.comments = {"made by a test"};
    config.interface.listen_port = 0;
    config.interface.fw_mark = 0;
    config.interface.addresses = {*Prefix::parse("10.0.0.1/24"), *Prefix::parse("fd00::1/64")};
    config.interface.post_up = {"echo a\nPreUp = evil"};
    auto& peer = config.peers.emplace_back();
    peer.comments.below = {"laptop"};
    peer.public_key = *PublicKey::parse(first_key);
    peer.persistent_keepalive = std::chrono::seconds{25};
    peer.endpoint = Endpoint{"2001:db8::1", 51820};
    peer.allowed_ips = {{*Prefix::parse("10.0.0.2/32"), Sign::none}};
    CHECK(std::string(write(config))
          == std::string("# made by a test\n\n[Interface]\nListenPort = 0\nFwMark = off\n"
                         "Address = 10.0.0.1/24, fd00::1/64\nPostUp = echo a PreUp = evil\n\n"
                         "[Peer]\n# laptop\nPublicKey = ")
                 + first_key
                 + "\nAllowedIPs = 10.0.0.2/32\nEndpoint = [2001:db8::1]:51820\n"
                   "PersistentKeepalive = 25\n");
}

TEST_CASE("signs mean the same after they were written") {
    const auto peer = [](const std::string& lines) {
        return std::string("[Peer]\nPublicKey = ") + first_key + "\n" + lines;
    };
    for (const std::string lines : {"AllowedIPs = +10.0.0.0/8, 10.1.0.0/16, -10.2.0.0/16\n",
                                    "AllowedIPs = 10.0.0.0/8, +10.1.0.0/16\nAllowedIPs = ::/0\n"}) {
        CHECK(format(peer(lines)) == peer(lines));
        auto parsed = parse(peer(lines), "f");
        const bool replace = parsed.config.peers[0].replace_allowed_ips;
        CHECK(replace == (lines.find("::/0") != std::string::npos));
        parsed.config.peers[0].origins = {}; // as a program would have made it
        CHECK(std::string(write(parsed.config)) == peer(lines));
    }
}
