#include "util/file_set.hpp"

#include <sys/resource.h>

#include <csignal>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "wgkit/files.hpp"

using namespace wgkit;
using files::NewFile;
using files::Overwrite;
using test::content_of;
using test::TemporaryFolder;

namespace {

using Names = std::vector<std::string>;

std::vector<NewFile> pair(const TemporaryFolder& folder, const char* content) {
    std::vector<NewFile> set;
    set.push_back({folder / "a.key", SecretString(content), 0600, false});
    set.push_back({folder / "a.pub", SecretString(content), 0644, true});
    return set;
}

} // namespace

TEST_CASE("a set of files is made whole") {
    const TemporaryFolder folder;
    REQUIRE(files::write_set(folder.path(), pair(folder, "one"), Overwrite::no));
    CHECK(folder.names() == Names{"a.key", "a.pub"});
    CHECK(content_of(folder / "a.key") == "one");
}

TEST_CASE("one file that exists keeps the whole set out") {
    for (const char* present : {"a.key", "a.pub"}) {
        const TemporaryFolder folder;
        REQUIRE(files::create(folder / present, "mine", 0600));
        const auto written = files::write_set(folder.path(), pair(folder, "new"), Overwrite::no);
        REQUIRE_FALSE(written);
        CHECK(written.error().code == Errc::exists);
        CHECK(written.error().message == (folder / present) + " exists already");
        CHECK(folder.names() == Names{present});
        CHECK(content_of(folder / present) == "mine");
    }
}

TEST_CASE("a set replaces old files, missing ones and symbolic links alike") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "target", "mine", 0600));
    std::filesystem::create_symlink("target", folder / "a.pub");
    REQUIRE(files::write_set(folder.path(), pair(folder, "one"), Overwrite::yes));
    REQUIRE(files::write_set(folder.path(), pair(folder, "two"), Overwrite::yes));
    CHECK(content_of(folder / "a.key") == "two");
    CHECK(content_of(folder / "a.pub") == "two");
    CHECK(content_of(folder / "target") == "mine");
    CHECK(folder.names() == Names{"a.key", "a.pub", "target"});
}

TEST_CASE("a folder in the place of a file stops the set before anything changes") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "a.key", "old", 0600));
    REQUIRE(files::make_folders(folder / "a.pub", 0700));
    CHECK_FALSE(files::write_set(folder.path(), pair(folder, "new"), Overwrite::yes));
    CHECK(content_of(folder / "a.key") == "old");
    CHECK(folder.names() == Names{"a.key", "a.pub"});
}

TEST_CASE("a set that fails between two names puts everything back") {
    // The same name twice: the second finds the first in its place, as after a race.
    const TemporaryFolder folder;
    REQUIRE(files::write_set(folder.path(), pair(folder, "old"), Overwrite::no));
    auto set = pair(folder, "new");
    set.push_back({folder / "b.key", SecretString("b"), 0600, false});
    set.push_back({folder / "b.key", SecretString("b"), 0600, false});
    CHECK(files::write_set(folder.path(), set, Overwrite::yes).error().code == Errc::exists);
    CHECK(folder.names() == Names{"a.key", "a.pub"});
    CHECK(content_of(folder / "a.key") == "old");
    CHECK(content_of(folder / "a.pub") == "old");
}

TEST_CASE("leftovers of a killed run go away for the names that are written, and only those") {
    const TemporaryFolder folder;
    for (const char* name : {".a.key.wgkit-tmp-111111", ".a.pub.wgkit-tmp-222222-",
                             ".b.key.wgkit-tmp-333333", ".a.key.swp"})
        REQUIRE(files::create(folder / name, "x", 0600));
    REQUIRE(files::write_set(folder.path(), pair(folder, "one"), Overwrite::no));
    CHECK(folder.names() == Names{".a.key.swp", ".b.key.wgkit-tmp-333333", "a.key", "a.pub"});
}

TEST_CASE("a disk that fills up leaves the old set") {
    const TemporaryFolder folder;
    REQUIRE(files::write_set(folder.path(), pair(folder, "old"), Overwrite::no));
    auto set = pair(folder, "new");
    set[1].content = SecretString(8192, 'x'); // the last file is the one that does not fit
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit tight{4096, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    const bool written = files::write_set(folder.path(), set, Overwrite::yes).has_value();
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_DFL);
    CHECK_FALSE(written);
    CHECK(folder.names() == Names{"a.key", "a.pub"});
    CHECK(content_of(folder / "a.key") == "old");
}
