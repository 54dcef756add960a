#include "wgkit/files.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "util/write_file.hpp"

using namespace wgkit;
using test::content_of;
using test::TemporaryFolder;

namespace {

using Names = std::vector<std::string>;

mode_t mode_of(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & mode_t{07777} : mode_t{0};
}

/// Files cannot grow beyond `bytes` while this lives: a disk that fills up in the middle of a
/// write.
class FullDisk {
  public:
    explicit FullDisk(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;
    ~FullDisk() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, SIG_DFL);
    }

  private:
    rlimit before_{};
};

} // namespace

TEST_CASE("create makes a file with its mode and never replaces one") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "a", "one", 0600));
    CHECK(content_of(folder / "a") == "one");
    CHECK(mode_of(folder / "a") == 0600);
    const auto again = files::create(folder / "a", "two", 0644);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::exists);
    CHECK(content_of(folder / "a") == "one");
    CHECK(mode_of(folder / "a") == 0600);
    CHECK(folder.names() == Names{"a"});
}

TEST_CASE("create does not follow a dangling symbolic link") {
    const TemporaryFolder folder;
    std::filesystem::create_symlink(folder / "target", folder / "link");
    CHECK(files::create(folder / "link", "x", 0600).error().code == Errc::exists);
    CHECK(folder.names() == Names{"link"});
}

TEST_CASE("modes are exact whatever the umask says") {
    const TemporaryFolder folder;
    const mode_t before = ::umask(0777);
    const bool made = files::create(folder / "a", "x", 0644).has_value()
                      && files::replace(folder / "b", "x", 0640).has_value();
    ::umask(before);
    REQUIRE(made);
    CHECK(mode_of(folder / "a") == 0644);
    CHECK(mode_of(folder / "b") == 0640);
}

TEST_CASE("replace leaves new content and mode, and no temporary file") {
    const TemporaryFolder folder;
    REQUIRE(files::replace(folder / "a", "one", 0644));
    REQUIRE(files::replace(folder / "a", "two", 0600));
    CHECK(content_of(folder / "a") == "two");
    CHECK(mode_of(folder / "a") == 0600);
    CHECK(folder.names() == Names{"a"});
}

TEST_CASE("replace replaces a symbolic link and spares its target") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "target", "old", 0644));
    std::filesystem::create_symlink("target", folder / "link");
    REQUIRE(files::replace(folder / "link", "new", 0600));
    CHECK(content_of(folder / "target") == "old");
    CHECK_FALSE(std::filesystem::is_symlink(folder / "link"));
}

TEST_CASE("a full disk loses nothing and leaves nothing") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "a", "old", 0600));
    const std::string big(8192, 'x');
    {
        const FullDisk full(4096);
        const auto replaced = files::replace(folder / "a", big, 0600);
        REQUIRE_FALSE(replaced);
        CHECK(replaced.error().code == Errc::system);
        CHECK_FALSE(files::create(folder / "b", big, 0600));
    }
    CHECK(content_of(folder / "a") == "old");
    CHECK(folder.names() == Names{"a"});
}

TEST_CASE("failures name the path and their kind") {
    const TemporaryFolder folder;
    const auto missing = files::read(folder / "none");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Errc::not_found);
    CHECK(missing.error().message
          == "cannot open " + (folder / "none") + ": No such file or directory");
    CHECK(files::create(folder / "no/a", "x", 0600).error().code == Errc::not_found);
    CHECK(files::read(folder.path()).error().message == folder.path() + " is a folder, not a file");
    REQUIRE(files::make_folders(folder / "d", 0700));
    CHECK_FALSE(files::replace(folder / "d", "x", 0600));
    CHECK(folder.names() == Names{"d"});
}

TEST_CASE("reads take whole files, also empty ones and those without a size") {
    const TemporaryFolder folder;
    for (const std::size_t size : {0U, 1U, 255U, 256U, 257U, 4096U, 100'000U}) {
        const std::string content(size, 'c');
        REQUIRE(files::replace(folder / "a", content, 0600));
        CHECK(content_of(folder / "a") == content);
    }
    CHECK(files::read("/proc/self/stat")->size() > 10);
}

TEST_CASE("files above the limit are refused unread") {
    const TemporaryFolder folder;
    REQUIRE(files::create(folder / "a", "", 0600));
    std::filesystem::resize_file(folder / "a", files::max_input_bytes + 1); // sparse
    CHECK(files::read(folder / "a").error().code == Errc::invalid);
}

TEST_CASE("secrets that group or others may access are refused") {
    const TemporaryFolder folder;
    for (const mode_t mode : {0600U, 0400U, 0700U})
        CHECK((files::replace(folder / "a", "s", mode) && files::read_secret(folder / "a")));
    for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0644U}) {
        REQUIRE(files::replace(folder / "a", "s", mode));
        const auto refused = files::read_secret(folder / "a");
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::permission);
        CHECK_FALSE(refused.error().hint.empty());
        CHECK(files::read_secret(folder / "a", true));
    }
}

TEST_CASE("folders are made with their parents and keep their mode") {
    const TemporaryFolder folder;
    REQUIRE(files::make_folders(folder / "a/b/c", 0700));
    CHECK(mode_of(folder / "a/b/c") == 0700);
    REQUIRE(files::make_folders(folder / "a", 0755));
    CHECK(mode_of(folder / "a") == 0700);
    REQUIRE(files::create(folder / "file", "", 0600));
    CHECK_FALSE(files::make_folders(folder / "file", 0700));
    CHECK_FALSE(files::make_folders(folder / "file/x", 0700));
}

TEST_CASE("names of temporary files tell what they stand for") {
    CHECK(files::temporary_of(".gw.key.wgkit-tmp-abcdef") == "gw.key");
    CHECK(files::is_temporary(".gw.key.wgkit-tmp-abcdef"));
    for (const char* other :
         {"gw.key", "gw.key.wgkit-tmp-abcdef", ".wgkit-tmp-a", ".gw.key", "", "."})
        CHECK_FALSE(files::is_temporary(other));
}
