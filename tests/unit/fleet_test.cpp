#include "wgkit/fleet.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "wgkit/files.hpp"

using namespace wgkit;
using namespace wgkit::fleet;

namespace {

config::Config config_of(const std::string& text) {
    auto parsed = config::parse(text, "wg0.conf");
    REQUIRE(parsed.diagnostics.errors() == 0);
    return std::move(parsed.config);
}

const std::string fleet_key_a = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const std::string fleet_key_b = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";

std::string fleet_peer(const std::string& key, const std::string& rest) {
    return "[Peer]\n# name-" + key.substr(0, 2) + "\nPublicKey = " + key + "\n" + rest;
}

} // namespace

TEST_CASE("a request comes out of its text as it went in", "[fleet]") {
    NodeRequest request;
    request.verb = "apply";
    request.operator_name = "ann \"the\" operator";
    request.files.push_back({"wg0", SecretString("[Interface]\n"), "a.b = 1\n", "abc"});
    request.revoked.push_back(*PublicKey::parse(fleet_key_a));
    request.confirm = std::chrono::seconds(60);
    request.removals = 7;
    request.words = {"one", "two words"};
    request.firewall = WantedFirewall{"{}", {"wg0", "wg1"}, "def"};
    request.echo = false;
    const auto again = parse_request(to_text(request));
    REQUIRE(again);
    CHECK(again->verb == "apply");
    CHECK(again->operator_name == request.operator_name);
    REQUIRE(again->files.size() == 1);
    CHECK(again->files[0].config == request.files[0].config);
    CHECK(again->files[0].state_hash == "abc");
    CHECK(again->revoked == request.revoked);
    CHECK(again->confirm == request.confirm);
    CHECK(again->removals == request.removals);
    CHECK(again->words == request.words);
    CHECK(again->files[0].settings == "a.b = 1\n");
    REQUIRE(again->firewall);
    CHECK(again->firewall->rules == "{}");
    CHECK(again->firewall->interfaces == request.firewall->interfaces);
    CHECK(again->firewall->state_hash == "def");
    CHECK_FALSE(again->echo);
    CHECK(parse_request(R"({"protocol":1})")->echo);
    CHECK_FALSE(parse_request(R"({"protocol":1})")->firewall);
}

TEST_CASE("an answer comes out of its text as it went in", "[fleet]") {
    NodeAnswer answer;
    answer.version = "1.2.3";
    answer.error = Error{Errc::conflict, "no", "wait"};
    NodeInterface one;
    one.name = "wg0";
    one.is_up = true;
    one.key = *PublicKey::parse(fleet_key_a);
    one.pending = std::chrono::seconds(12);
    one.file_changes = {"+ peer b"};
    one.peers.push_back(
        {*PublicKey::parse(fleet_key_b), "192.0.2.1:1", 5, 6, 7, {*Prefix::parse("10.0.0.1/32")}});
    one.can_go_back = true;
    answer.interfaces.push_back(std::move(one));
    answer.firewall = NodeFirewall{"nftables", "abc", {"+ a rule"}};
    answer.firewall_waits = true;
    const auto again = parse_answer(to_text(answer));
    REQUIRE(again);
    REQUIRE(again->error);
    CHECK(again->error->code == Errc::conflict);
    CHECK(again->error->hint == "wait");
    REQUIRE(again->interfaces.size() == 1);
    const auto& same = again->interfaces[0];
    CHECK(same.is_up);
    CHECK(same.can_go_back);
    REQUIRE(again->firewall);
    CHECK(again->firewall->backend == "nftables");
    CHECK(again->firewall->changes == answer.firewall->changes);
    CHECK(again->firewall_waits);
    CHECK(same.key == answer.interfaces[0].key);
    CHECK(same.pending == std::chrono::seconds(12));
    CHECK(same.file_changes == answer.interfaces[0].file_changes);
    REQUIRE(same.peers.size() == 1);
    CHECK(same.peers[0].handshake == 5);
    CHECK(same.peers[0].allowed_ips == answer.interfaces[0].peers[0].allowed_ips);
}

TEST_CASE("what is no answer, or of another protocol, is refused", "[fleet]") {
    for (const auto* text : {"", "null", "[]", "{", "{}", R"({"protocol":"1"})", "\xff"})
        CHECK_FALSE(parse_answer(text));
    const auto other = parse_answer(R"({"protocol":2})");
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Errc::conflict);
    // Fields of another type are as if they were not there.
    const auto odd = parse_answer(R"({"protocol":1,"interfaces":3,"now":"x","error":[]})");
    REQUIRE(odd);
    CHECK(odd->interfaces.empty());
}

TEST_CASE("a node's own key takes the place of the command that loads it", "[fleet]") {
    const std::string rendered = "# c\n[Interface]\nAddress = 10.0.0.1/24\n"
                                 "PostUp = wg set %i private-key /etc/wireguard/wg0.key\n"
                                 "PostUp = echo up\n";
    const auto key = generate_private_key();
    const auto text = with_private_key(rendered, "wg0", key);
    const auto config = config_of(std::string(text.begin(), text.end()));
    REQUIRE(config.interface.private_key);
    CHECK(equal(*config.interface.private_key, key));
    CHECK(config.interface.post_up == std::vector<std::string>{"echo up"});
    const auto without = without_private_key(text);
    CHECK(without == "# c\n[Interface]\nAddress = 10.0.0.1/24\nPostUp = echo up\n");
    CHECK(without_private_key("p r i vatekey= x\nA = b") == "A = b");
}

TEST_CASE("files are compared by what they mean", "[fleet]") {
    const auto a = fleet_peer(fleet_key_a, "AllowedIPs = 10.0.0.2/32\nPersistentKeepalive = 25\n");
    const auto b = fleet_peer(fleet_key_b, "AllowedIPs = 10.0.0.3/32, 10.1.0.0/16\n");
    const std::string interface = "[Interface]\nListenPort = 1\n";
    const auto lines = [&](const std::string& before, const std::string& after) {
        return compare_files(config_of(before), config_of(after));
    };
    CHECK(lines(interface + a + b, "# other words\n" + interface + b + "\n" + a).empty());
    CHECK(
        lines(
            interface + fleet_peer(fleet_key_b, "AllowedIPs = 10.1.0.0/16\nAllowedIPs=10.0.0.3\n"),
            interface + b)
            .empty());
    CHECK(lines(interface + a, interface + a + b) == std::vector<std::string>{"+ peer name-Tr"});
    CHECK(lines(interface + a + b, interface + b) == std::vector<std::string>{"- peer name-xT"});
    CHECK(lines(interface, "[Interface]\nListenPort = 2\nMTU = 1400\n")
          == std::vector<std::string>{"~ ListenPort: 1 -> 2", "+ MTU = 1400"});
    CHECK(lines(interface + a, interface + fleet_peer(fleet_key_a, "AllowedIPs = 10.0.0.2/32\n"))
          == std::vector<std::string>{"~ peer name-xT: keepalive 25 -> 0"});
}

TEST_CASE("a difference of preshared keys is told without them", "[fleet]") {
    const auto psk = [](const PresharedKey& key) {
        const auto text = reveal_base64(key);
        return "PresharedKey = " + std::string(text.begin(), text.end()) + "\n";
    };
    const auto one = psk(generate_preshared_key());
    const auto two = psk(generate_preshared_key());
    const auto lines = [&](const std::string& before, const std::string& after) {
        return compare_files(config_of("[Interface]\n" + fleet_peer(fleet_key_a, before)),
                             config_of("[Interface]\n" + fleet_peer(fleet_key_a, after)));
    };
    CHECK(lines(one, one).empty());
    CHECK(lines(one, two) == std::vector<std::string>{"~ peer name-xT: other preshared key"});
    CHECK(lines("", two) == std::vector<std::string>{"~ peer name-xT: + preshared key"});
    CHECK(lines(one, "") == std::vector<std::string>{"~ peer name-xT: - preshared key"});
}

TEST_CASE("waves hold every node once, the canary first", "[fleet]") {
    const std::vector<std::string> nodes{"a", "b", "c", "d", "e"};
    using Waves = std::vector<std::vector<std::string>>;
    CHECK(plan_waves(nodes, 1, 3) == Waves{{"a"}, {"b", "c", "d"}, {"e"}});
    CHECK(plan_waves(nodes, 0, 10) == Waves{nodes});
    CHECK(plan_waves(nodes, 9, 1) == Waves{nodes});
    CHECK(plan_waves({}, 1, 1).empty());
    CHECK(plan_waves(nodes, 0, 0).size() == 5);
}

TEST_CASE("a log shows what was changed, taken out or cut", "[fleet]") {
    const test::TemporaryFolder folder;
    const auto path = folder / "log";
    REQUIRE(read_log(path));
    CHECK(read_log(path)->empty());
    for (const auto* action : {"import", "apply", "revoke"}) {
        LogEntry entry;
        entry.who = "ann";
        entry.action = action;
        entry.nodes = {"gw"};
        REQUIRE(append_log(path, std::move(entry)));
    }
    const auto all = read_log(path);
    REQUIRE(all);
    REQUIRE(all->size() == 3);
    CHECK((*all)[2].number == 3);
    CHECK((*all)[2].action == "revoke");
    const std::string whole = test::content_of(path);
    // Each single byte counts.
    for (std::size_t i = 0; i < whole.size(); i += 7) {
        std::string broken = whole;
        broken[i] = static_cast<char>(broken[i] ^ 1);
        REQUIRE(files::replace(path, broken, 0644));
        const auto read = read_log(path);
        CHECK((!read || read->size() < 3)); // the last line feed may be what was changed
    }
    // What a kill left of a line is no line.
    REQUIRE(files::replace(path, whole + "{\"act", 0644));
    REQUIRE(append_log(path, {}));
    CHECK(read_log(path)->size() == 4);
}
