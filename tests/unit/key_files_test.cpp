#include "wgkit/key_files.hpp"

#include <type_traits>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "wgkit/files.hpp"

using namespace wgkit;
using test::TemporaryFolder;

namespace {

using Names = std::vector<std::string>;
const std::string key_text = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="; // RFC 7748

KeyFilesRequest request(const TemporaryFolder& folder, const std::string& name) {
    KeyFilesRequest request;
    request.folder = folder.path();
    request.name = name;
    return request;
}

} // namespace

TEST_CASE("key files hold a pair and, on request, a preshared key") {
    const TemporaryFolder folder;
    auto wanted = request(folder, "gw");
    wanted.preshared_key = true;
    const auto made = write_key_files(wanted);
    REQUIRE(made);
    REQUIRE(made->size() == 1);
    const auto& files = made->front();
    CHECK(folder.names() == Names{"gw.key", "gw.psk", "gw.pub"});
    CHECK(public_key(*read_private_key(files.private_key_path)) == files.public_key);
    CHECK(*files::read(files.public_key_path) == SecretString(to_string(files.public_key) + "\n"));
    CHECK(parse_preshared_key(files::read(files.preshared_key_path)->substr(0, key_base64_length)));
}

TEST_CASE("numbered sets sort by name") {
    const TemporaryFolder folder;
    auto wanted = request(folder, "n");
    wanted.count = 10;
    const auto made = write_key_files(wanted);
    REQUIRE(made);
    CHECK(made->front().name == "n-01");
    CHECK(made->back().name == "n-10");
    CHECK(made->front().public_key != made->back().public_key);
    const TemporaryFolder other;
    wanted.folder = other.path();
    wanted.count = 1;
    REQUIRE(write_key_files(wanted));
    CHECK(other.names() == Names{"n-1.key", "n-1.pub"});
}

TEST_CASE("one key file in the way keeps all sets out") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "n-3.pub", "mine", 0644));
    auto wanted = request(folder, "n");
    wanted.count = 3;
    CHECK(write_key_files(wanted).error().code == Errc::exists);
    CHECK(folder.names() == Names{"n-3.pub"});
}

TEST_CASE("names that are not DNS labels never become paths") {
    const TemporaryFolder folder;
    for (const auto& bad :
         {std::string(), std::string(".."), std::string("../x"), std::string("a/b"),
          std::string("a.b"), std::string("-a"), std::string("a-"), std::string("a b"),
          std::string(64, 'a'), std::string("a\n")})
        CHECK(write_key_files(request(folder, bad)).error().code == Errc::invalid);
    auto numbered = request(folder, std::string(62, 'a'));
    numbered.count = 5; // 62 characters and "-5" are too many
    CHECK(write_key_files(numbered).error().code == Errc::invalid);
    CHECK(folder.names().empty());
}

TEST_CASE("a folder is made privately and goes away again if nothing comes into it") {
    const TemporaryFolder folder;
    auto wanted = request(folder, "gw");
    wanted.folder = folder / "keys";
    REQUIRE(write_key_files(wanted));
    CHECK(std::filesystem::status(folder / "keys").permissions()
          == std::filesystem::perms::owner_all);
    wanted.folder = folder / "missing/keys";
    CHECK(write_key_files(wanted).error().code == Errc::not_found);
    wanted.folder.clear();
    CHECK(write_key_files(wanted).error().code == Errc::invalid);
    CHECK(folder.names() == Names{"keys"});
}

TEST_CASE("a key file is 44 characters, then only white space or NUL") {
    const TemporaryFolder folder;
    const auto read = [&](const std::string& content) {
        REQUIRE(files::replace(folder / "k", content, 0600));
        return read_private_key(folder / "k");
    };
    using namespace std::string_literals;
    for (const auto& tail :
         {""s, "\n"s, "\r\n"s, " \t\v\f\r\n"s, "\0\0\n"s, std::string(100'000, ' ')})
        CHECK(read(key_text + tail));
    for (const auto& tail : {"x"s, "\nx"s, "="s, "\n"s + key_text, "\xA0"s}) {
        const auto refused = read(key_text + tail);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().message.find("trailing characters") != std::string::npos);
        CHECK(refused.error().message.find(key_text) == std::string::npos);
    }
    for (const auto& bad :
         {""s, key_text.substr(1), " "s + key_text.substr(0, 43), "\n"s + key_text})
        CHECK(read(bad).error().code == Errc::invalid);
}

TEST_CASE("a key file that others may access is refused until asked otherwise") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "k", key_text, 0640));
    CHECK(read_private_key(folder / "k").error().code == Errc::permission);
    CHECK(read_private_key(folder / "k", true));
}
