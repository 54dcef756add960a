#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "support/catch.hpp"
#include "support/vectors.hpp"
#include "wgkit/headscale.hpp"

using namespace wgkit;
using namespace wgkit::headscale;

namespace {

constexpr Time noon{seconds(1'764'000'000)};
constexpr std::chrono::hours day{24};

std::string capture(const std::string& name) {
    std::ifstream file(test::vector_path("headscale/" + name));
    return {std::istreambuf_iterator<char>(file), {}};
}

Node node(const std::string& id, bool online, seconds seen_ago = seconds(0)) {
    Node one;
    one.id = id;
    one.name = "node" + id;
    one.user = "ops";
    one.key = PublicKey{};
    one.key->bytes[0] = static_cast<std::uint8_t>(id[0]);
    one.online = online;
    one.last_seen = noon - seen_ago;
    one.created = noon - 30 * day;
    return one;
}

Snapshot snapshot(std::vector<Node> nodes, Time now = noon) {
    Snapshot one;
    one.now = now;
    one.nodes = std::move(nodes);
    return one;
}

State judged(const Snapshot& one, const State& previous = {}) {
    return observe(previous, one, {}, {});
}

NodeState judged(const Node& one) { return judged(snapshot({one})).nodes.front(); }

/// Answers from a table of paths; what is not there is 404.
class Server : public HttpPoster {
  public:
    std::map<std::string, HttpAnswer> answers;
    std::vector<HttpRequest> requests;

    void put(const std::string& path, int status, const std::string& body) {
        HttpAnswer& answer = answers[path];
        answer.outcome = HttpOutcome::answered;
        answer.status = status;
        answer.body = body;
        answer.headers = {{"date", "Mon, 24 Nov 2025 16:00:00 GMT"}};
    }
    void start(std::uint64_t id, HttpRequest request) override {
        const std::string path(request.url.substr(request.url.find('/', 8)));
        const auto found = answers.find(path);
        HttpAnswer none;
        none.outcome = HttpOutcome::answered;
        none.status = 404;
        done_.emplace_back(id, found == answers.end() ? none : found->second);
        requests.push_back(std::move(request));
    }
    std::vector<std::pair<std::uint64_t, HttpAnswer>> wait(std::chrono::milliseconds) override {
        return std::exchange(done_, {});
    }
    void wake_on(int /*descriptor*/) override {}
    void cancel() override { done_.clear(); }

  private:
    std::vector<std::pair<std::uint64_t, HttpAnswer>> done_;
};

Result<Snapshot> look(Server& server) {
    Access access;
    access.url = "https://control.example/";
    access.key = "abcdefg.secret";
    return headscale::look(server, access, noon);
}

} // namespace

TEST_CASE("a list of nodes as Headscale 0.26 writes it") {
    const auto nodes = parse_nodes(capture("node_one_offline.json"));
    REQUIRE(nodes);
    REQUIRE(nodes->size() == 2);
    const Node& one = nodes->front();
    CHECK(one.id == "1");
    CHECK(one.name == "node1");
    CHECK(one.user == "myorg");
    CHECK(one.online);
    CHECK(one.addresses == std::vector<std::string>{"100.64.0.1", "fd7a:115c:a1e0::1"});
    CHECK_FALSE(one.expiry);
    REQUIRE(one.key);
    CHECK(one.key->bytes[0] == 0xd4);
    CHECK_FALSE(nodes->back().online);
    CHECK(nodes->back().last_seen == Time(seconds(1'795'390'516)));
}

TEST_CASE("one of two real nodes has stopped") {
    Snapshot one;
    one.nodes = *parse_nodes(capture("node_two_online.json"));
    one.now = Time(seconds(1'795'390'400));
    const State before = judged(one);
    CHECK(before.nodes[1].verdict == Verdict::online);
    one.nodes = *parse_nodes(capture("node_one_offline.json"));
    one.now = Time(seconds(1'795'390'520));
    const State soon = judged(one, before);
    CHECK(soon.nodes[1].verdict == Verdict::offline);
    CHECK(soon.nodes[1].level == Level::ok);
    CHECK_FALSE(soon.restart);
    one.now = Time(seconds(1'795'390'516 + 301));
    CHECK(judged(one, soon).nodes[1].level == Level::critical);
}

TEST_CASE("live pre-auth keys are in no text that is made of an answer") {
    const std::string secret = "dummy-pre-auth-key";
    const std::string text = capture("node_one_offline.json");
    REQUIRE(text.find(secret) != text.npos);
    Snapshot one;
    one.nodes = *parse_nodes(text);
    one.now = noon;
    const State state = judged(one);
    const Told told{one, state, findings({}, state, one, {}), "https://control.example"};
    for (const auto& out :
         {trouble_text(told), table_text(told, false), headscale::to_json(told, false),
          headscale::to_json(told, true), headscale::to_nagios(told),
          headscale::to_prometheus(told), headscale::to_alert_events(told), to_text(state)})
        CHECK(out.find(secret) == out.npos);
}

TEST_CASE("answers of another shape are refused without being quoted") {
    for (const char* text :
         {"", "[]", "null", "{\"nodes\":7}", "{\"nodes\":[7]}", "{\"nodes\":[{}]}",
          "<html>top secret", "{\"nodes\":[{\"id\":\"1\"}]}", "{\"nodes\""}) {
        CAPTURE(text);
        const auto nodes = parse_nodes(text);
        REQUIRE_FALSE(nodes);
        CHECK(nodes.error().message.find("secret") == std::string::npos);
    }
    CHECK(parse_nodes("{\"nodes\":[]}")->empty());
    CHECK(parse_nodes("{\"nodes\":[{\"id\":7,\"name\":\"a\"}]}")->front().id == "7");
    CHECK_FALSE(parse_nodes(std::string(100'000, '[')));
}

TEST_CASE("a time of the year 1 stands for never") {
    const auto nodes = parse_nodes(
        R"({"nodes":[{"id":"1","givenName":"a","expiry":"0001-01-01T00:00:00Z","lastSeen":null,)"
        R"("createdAt":"2025-11-22T23:31:45.8+01:00"}]})");
    REQUIRE(nodes);
    CHECK_FALSE(nodes->front().expiry);
    CHECK_FALSE(nodes->front().last_seen);
    CHECK(nodes->front().created == Time(seconds(1'763'850'705)));
}

TEST_CASE("tags and owners as every version calls them") {
    const auto nodes =
        parse_nodes(R"({"machines":[{"id":"1","givenName":"a","namespace":{"name":"old"},)"
                    R"("forcedTags":["tag:x"],"validTags":["tag:x","tag:y"]},)"
                    R"({"id":"2","givenName":"b","user":{"name":"new"},"tags":["tag:z"]}]})");
    REQUIRE(nodes);
    CHECK(nodes->at(0).user == "old");
    CHECK(nodes->at(0).tags == std::vector<std::string>{"x", "y"});
    CHECK(nodes->at(1).user == "new");
    CHECK(nodes->at(1).tags == std::vector<std::string>{"z"});
}

TEST_CASE("offline is trouble after the grace, unless the node roams") {
    CHECK(judged(node("1", true)).verdict == Verdict::online);
    CHECK(judged(node("1", false, seconds(300))).level == Level::ok);
    const NodeState gone = judged(node("1", false, seconds(301)));
    CHECK(gone.verdict == Verdict::offline);
    CHECK(gone.level == Level::critical);
    monitor::Policy policy;
    policy.otherwise.expect = monitor::Expect::roaming;
    const Snapshot one = snapshot({node("1", false, 5 * day)});
    CHECK(observe({}, one, policy, {}).nodes.front().level == Level::ok);
}

TEST_CASE("a long connection is no trouble although it was seen long ago") {
    CHECK(judged(node("1", true, 90 * day)).level == Level::ok);
}

TEST_CASE("keys expire") {
    Node one = node("1", true);
    one.expiry = noon + 20 * day;
    CHECK(judged(one).verdict == Verdict::online);
    one.expiry = noon + 10 * day;
    CHECK(judged(one).verdict == Verdict::expiring);
    CHECK(judged(one).level == Level::warning);
    one.expiry = noon + 2 * day;
    CHECK(judged(one).level == Level::critical);
    one.expiry = noon - seconds(5);
    CHECK(judged(one).verdict == Verdict::expired);
    CHECK(judged(one).level == Level::critical);
    CHECK(judged(one).reason.find("though it counts as online") != std::string::npos);
}

TEST_CASE("a node that never connected is a warning after an hour") {
    Node one = node("1", false);
    one.last_seen.reset();
    CHECK(judged(one).verdict == Verdict::never);
    CHECK(judged(one).level == Level::warning);
    one.created = noon - seconds(60);
    CHECK(judged(one).level == Level::ok);
}

TEST_CASE("an approved route that nobody serves is a warning, a reserve is not") {
    Node one = node("1", true), two = node("2", true);
    one.routes = {{"10.0.0.0/24", true, false}};
    CHECK(judged(one).verdict == Verdict::unserved);
    CHECK(judged(one).level == Level::warning);
    two.routes = {{"10.0.0.0/24", true, true}};
    CHECK(judged(snapshot({one, two})).nodes.front().verdict == Verdict::online);
}

TEST_CASE("a restart of the control plane is said once and nodes get time to come back") {
    const State before =
        judged(snapshot({node("1", true), node("2", true), node("3", false, day)}));
    CHECK(before.nodes[2].level == Level::critical);
    // Killed: it could not write down when nodes left.
    const auto after = [&](seconds later) {
        return snapshot(
            {node("1", false, 9 * day), node("2", false, 9 * day), node("3", false, day)},
            noon + later);
    };
    const Snapshot first = after(seconds(120)), second = after(seconds(240)),
                   late = after(seconds(700));
    const State noticed = judged(first, before);
    REQUIRE(noticed.restart);
    CHECK(noticed.nodes[0].level == Level::ok);
    CHECK(noticed.nodes[2].level == Level::critical); // it was gone before
    CHECK(findings(before, noticed, first, {}).front().level == Level::warning);
    const State again = judged(second, noticed);
    CHECK(findings(noticed, again, second, {}).front().level == Level::ok);
    CHECK(findings(noticed, again, second, {}).front().lasts);
    CHECK(again.nodes[0].level == Level::ok);
    const State over = judged(late, again);
    CHECK_FALSE(over.restart);
    CHECK(over.nodes[0].level == Level::critical);
}

TEST_CASE("one node that goes offline is no restart") {
    const State before = judged(snapshot({node("1", true)}));
    CHECK_FALSE(judged(snapshot({node("1", false, seconds(10))}), before).restart);
}

TEST_CASE("the state of a control plane gives the same again") {
    State state = judged(snapshot({node("1", true), node("2", true)}));
    state = judged(snapshot({node("1", false), node("2", false)}, noon + seconds(60)), state);
    REQUIRE(state.restart);
    state.nodes[0].reason = "tab\tand\nline";
    const auto again = headscale::parse_state(to_text(state));
    REQUIRE(again);
    state.nodes[0].reason = "tab and line";
    CHECK(*again == state);
    CHECK_FALSE(headscale::parse_state("wgkit-headscale-state 2\n"));
    CHECK_FALSE(headscale::parse_state(to_text(state) + "x"));
}

TEST_CASE("the key of this monitor is watched, in both of its forms") {
    const std::string list =
        R"({"apiKeys":[{"id":"1","prefix":"zzzzzzz","expiration":"2030-01-01T00:00:00Z"},)"
        R"({"id":"2","prefix":"abcdefg","expiration":"2025-11-30T00:00:00Z"},)"
        R"({"id":"3","prefix":"hskey-api-ABCDEFGHIJKL-***","expiration":"2025-11-25T00:00:00Z"}]})";
    CHECK(*parse_key_expiry(list, "abcdefg.secret") == Time(seconds(1'764'460'800)));
    CHECK(*parse_key_expiry(list, "hskey-api-ABCDEFGHIJKL-secret") == Time(seconds(1'764'028'800)));
    CHECK_FALSE(*parse_key_expiry(list, "other.secret"));
    Snapshot one = snapshot({});
    one.key_expiry = noon + 2 * day;
    CHECK(findings({}, judged(one), one, {}).back().level == Level::critical);
}

TEST_CASE("a look asks for nodes, keys and the version at once") {
    Server server;
    server.put("/api/v1/node", 200, capture("node_two_online.json"));
    server.put("/api/v1/apikey", 200, R"({"apiKeys":[{"prefix":"abcdefg","expiration":null}]})");
    server.put("/version", 200, R"({"version":"v0.27.1","commit":"x"})");
    const auto seen = look(server);
    REQUIRE(seen);
    CHECK(seen->nodes.size() == 2);
    CHECK(seen->version == "v0.27.1");
    CHECK(seen->now == Time(seconds(1'764'000'000)));
    CHECK_FALSE(seen->heartbeat);
    REQUIRE(server.requests.size() == 3);
    CHECK(server.requests[0].headers.front().second == "Bearer abcdefg.secret");
    // Whoever answers there needs no key.
    for (const auto& [name, value] : server.requests[2].headers) CHECK(name != "Authorization");
}

TEST_CASE("older servers are asked for machines and routes") {
    Server server;
    server.put("/api/v1/machine", 200,
               R"({"machines":[{"id":"5","givenName":"gw","online":true}]})");
    server.put("/api/v1/routes", 200,
               R"({"routes":[{"id":"1","machine":{"id":"5","preAuthKey":{"key":"x"}},)"
               R"("prefix":"10.1.0.0/16","advertised":true,"enabled":true,"isPrimary":false},)"
               R"({"id":"2","machine":{"id":"5"},"prefix":"10.2.0.0/16","enabled":false}]})");
    const auto seen = look(server);
    REQUIRE(seen);
    CHECK(seen->heartbeat);
    REQUIRE(seen->nodes.front().routes.size() == 1);
    CHECK(judged(*seen).nodes.front().verdict == Verdict::unserved);
}

TEST_CASE("what keeps Headscale from being seen has a name") {
    const auto error = [](int status, const std::string& body) {
        Server server;
        server.put("/api/v1/node", status, body);
        const auto seen = look(server);
        REQUIRE_FALSE(seen);
        CHECK(seen.error().message.find("secret") == std::string::npos);
        return seen.error().code;
    };
    CHECK(error(401, "Unauthorized") == Errc::permission);
    CHECK(error(500, "Unauthorized") == Errc::permission); // up to 0.26
    CHECK(error(500, "database is locked") == Errc::system);
    CHECK(error(302, "") == Errc::invalid);
    CHECK(error(200, "<html>secret") == Errc::invalid);
    CHECK(error(404, "") == Errc::not_found);
}

TEST_CASE("URLs with passwords or without a scheme are refused") {
    CHECK(check_url("https://control.example"));
    CHECK(check_url("http://127.0.0.1:8080/"));
    for (const char* url : {"control.example", "ftp://x", "https://", "https://u:p@control.example",
                            "https://control.example?key=1"})
        CHECK_FALSE(check_url(url));
}
