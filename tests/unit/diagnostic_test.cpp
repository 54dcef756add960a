#include "wgkit/diagnostic.hpp"

#include "support/catch.hpp"

using namespace wgkit;

TEST_CASE("a finding reads as compilers write them") {
    Diagnostics found("wg0.conf");
    auto& first = found.error("bad-port", {2, 14}, "port 70000 is out of range");
    first.hint = "use 1 to 65535";
    first.notes.push_back({"", {7, 1}, "the section starts here"});
    first.notes.push_back({"other.conf", {}, "the other owner"});
    CHECK(to_text(found.all().front(), "[Interface]\nListenPort = 70000\n")
          == "wg0.conf:2:14: error: port 70000 is out of range [bad-port]\n"
             "    ListenPort = 70000\n"
             "                 ^\n"
             "wg0.conf:7:1: note: the section starts here\n"
             "other.conf: note: the other owner\n"
             "hint: use 1 to 65535");
}

TEST_CASE("lines that may hold a secret are not shown") {
    const std::string secret = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
    for (const std::string line :
         {"PrivateKey = ", "PresharedKey=", "p r i v a t e key = ", "psk: ", "password: ",
          "client_secret = ", "KEY ", "k e y =", "", "Endpoint = "}) {
        Diagnostic finding{Severity::error, "x", "f", {1, 1}, "m", {}, {}};
        CHECK(to_text(finding, line + secret) == "f:1:1: error: m [x]");
    }
}

TEST_CASE(
    "what a terminal could take for a command is not shown, and the caret counts characters") {
    Diagnostic finding{Severity::error, "x", "f", {1, 16}, "m", {}, {}};
    CHECK(to_text(finding, "\x1b[31m \xc2\x9b \xc3\xa4\xc3\xb6: ?")
          == "f:1:16: error: m [x]\n    ?[31m ?? \xc3\xa4\xc3\xb6: ?\n                 ^");
}

TEST_CASE("places outside the text are reported without an excerpt") {
    for (const Mark mark : {Mark{0, 0}, Mark{9, 1}}) {
        Diagnostic finding{Severity::warning, "x", "f", mark, "m", {}, {}};
        CHECK(to_text(finding, "one\n").find('\n') == std::string::npos);
    }
    Diagnostic past_end{Severity::warning, "x", "f", {1, 99}, "m", {}, {}};
    CHECK(to_text(past_end, "\tab") == "f:1:99: warning: m [x]\n    \tab\n    \t  ^");
    Diagnostic nowhere{Severity::warning, "x", "f", {}, "m", {}, {}};
    CHECK(to_text(nowhere) == "f: warning: m [x]");
}

TEST_CASE("the same finding at the same place is kept once") {
    Diagnostics found("f");
    found.error("x", {1, 1}, "m");
    found.error("x", {1, 1}, "m");
    found.error("x", {1, 1}, "another");
    found.error("x", {2, 1}, "m");
    found.warning("y", {}, "no place");
    found.warning("y", {}, "no place");
    CHECK(found.all().size() == 5);
    CHECK(found.errors() == 3);
}

TEST_CASE("findings sort by place and keep their order there") {
    Diagnostics found("b");
    found.error("3", {2, 1}, "m");
    found.error("2", {1, 9}, "m");
    Diagnostics other("a");
    other.error("1", {5, 5}, "m");
    found.append(other);
    found.sort();
    std::string order;
    for (const auto& finding : found.all()) order += finding.code;
    CHECK(order == "123");
}
