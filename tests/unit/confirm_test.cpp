// Changes that undo themselves: the record, who may confirm, and real watchers.
#include "wgkit/confirm.hpp"

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "confirm/origin.hpp"
#include "confirm/record.hpp"
#include "confirm/way_back.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "wgkit/files.hpp"

using namespace wgkit;
using namespace std::chrono_literals;
using confirm::BootTime;

namespace {

/// A folder for what is pending, known to the watchers, too.
class Bench {
  public:
    Bench() { ::setenv("WGKIT_CONFIRM_DIR", (folder_ / "changes").c_str(), 1); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() {
        // Watchers end with their changes.
        std::error_code ignored;
        std::filesystem::remove_all(folder_ / "changes", ignored);
        ::unsetenv("WGKIT_CONFIRM_DIR");
    }

    std::string operator/(const std::string& name) const { return folder_ / name; }

    confirm::Change change(const std::string& script, std::chrono::seconds timeout = 600s) const {
        confirm::Change change;
        change.name = "test";
        change.summary = "a test";
        change.timeout = timeout;
        change.undo = {"/bin/sh", "-c", script, "sh", folder_.path()};
        return change;
    }

    bool has(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  private:
    test::TemporaryFolder folder_;
};

template <class Condition>
bool holds_soon(Condition condition) {
    const auto end = confirm::now() + 60s;
    while (!condition())
        if (confirm::now() > end)
            return false;
        else
            std::this_thread::sleep_for(5ms);
    return true;
}

std::string why(const Result<void>& result) { return result ? "" : result.error().message; }

} // namespace

TEST_CASE("a connection that began after the change may confirm it") {
    constexpr BootTime armed = 100s, late = 200s;
    using Chain = std::vector<Process>;
    const Process self{30, 20, "wgkit-net", 150s}, shell{20, 10, "bash", 140s};
    const Process daemon{5, 1, "sshd", 1s};
    const auto check = [&](Chain chain) { return why(confirm::check_origin(chain, armed, late)); };

    CHECK(check({self, shell, {10, 5, "sshd", 130s}, daemon}).empty());
    CHECK(
        check({self, shell, {10, 9, "sshd-session", 130s}, {9, 5, "sshd-session", 129s}}).empty());
    // A new shell in an old connection.
    CHECK(check({self, shell, {10, 5, "sshd", 90s}, daemon}).find("this ssh connection") == 0);
    // Within the tick in which it was armed.
    CHECK(!check({self, shell, {10, 5, "sshd", armed}, daemon}).empty());
    // login(1) is as old as the boot.
    CHECK(check({self, shell, {10, 1, "login", 2s}}).empty());
    CHECK(check({self, {20, 10, "bash", 90s}, {10, 1, "login", 2s}}).find("this login") == 0);
    // From outside of a container.
    CHECK(check({self, {20, 0, "bash", 140s}}).empty());
    CHECK(!check({self, {20, 0, "bash", 99s}}).empty());
    // New, but nobody's arrival.
    CHECK(check({self, shell, {10, 1, "tmux: server", 130s}}).find("cannot tell") == 0);
    CHECK(check({self, {20, 1, "bash", 140s}}).find("cannot tell") == 0);
    CHECK(check({}).find("cannot tell") == 0);
}

TEST_CASE("this process comes from somewhere") {
    const auto chain = confirm::read_ancestors();
    REQUIRE(chain);
    REQUIRE(!chain->empty());
    CHECK(chain->front().pid == ::getpid());
    CHECK(chain->front().parent == ::getppid());
    CHECK(chain->front().began <= confirm::now());
    CHECK(chain->front().began > 0s);
}

TEST_CASE("a record of a change is read as it was written") {
    confirm::Record record;
    record.pending.name = "net-wg0";
    record.pending.summary = "wg0: \"quoted\"\n";
    record.pending.state = confirm::State::undo_failed;
    record.pending.armed = 123456789s;
    record.pending.deadline = BootTime(1);
    record.pending.undo = {"/usr/bin/true", ""};
    record.pending.problem = "why";
    record.files = {{"/etc/a b", 0640, "1:2:3.4"}};
    record.net_space = 4026531840;
    const auto again = confirm::parse_record(to_json(record), "place");
    REQUIRE(again);
    CHECK(to_json(*again) == to_json(record));
    CHECK(again->pending.boot_files == std::vector<std::string>{"/etc/a b"});
    for (const auto* bad : {"", "{}", "[1]", "{\"schema\": 2}"})
        CHECK(confirm::parse_record(bad, "place").error().message.find("place ") == 0);
}

TEST_CASE("names of changes cannot leave their folder") {
    for (const auto* bad : {"", ".", "..", ".x", "a/b", "a b", "a\n"}) {
        CHECK(!confirm::find(bad));
        CHECK(!confirm::confirm(bad));
        CHECK(!confirm::undo(bad));
    }
    CHECK(*confirm::find("wg0=+.@-_") == std::nullopt);
}

TEST_CASE("a change that nobody confirms is undone at its deadline") {
    const Bench bench;
    auto change = bench.change("cp \"$WGKIT_CONFIRM_DIR\"/test/data-before \"$1\"/undone", 1s);
    change.data.push_back({"before", SecretString("old")});
    const auto before = confirm::now();
    const auto armed = confirm::arm(change);
    REQUIRE(armed);
    CHECK(armed->is_watched);
    CHECK(armed->deadline - armed->armed == 1s);
    CHECK(files::mode_of(bench / "changes") == 0700);
    CHECK(files::mode_of(confirm::data_path("test", "before")) == 0600);
    CHECK(holds_soon([&] { return confirm::list()->empty(); }));
    CHECK(confirm::now() - before >= 1s);
    CHECK(*files::read(bench / "undone") == "old");
    CHECK(holds_soon([&] { return !std::filesystem::exists(bench / "changes/test"); }));
}

TEST_CASE("a change can be undone at once, and boot files stay the old ones") {
    const Bench bench;
    REQUIRE(files::create(bench / "boot", "old", 0600));
    auto change = bench.change("touch \"$1\"/undone");
    change.boot_files.push_back({bench / "boot", SecretString("new")});
    REQUIRE(confirm::arm(change));
    CHECK(confirm::list()->front().boot_files == std::vector<std::string>{bench / "boot"});
    REQUIRE(confirm::undo("test"));
    CHECK(bench.has("undone"));
    CHECK(*files::read(bench / "boot") == "old");
    CHECK(confirm::undo("test").error().code == Errc::not_found);
}

TEST_CASE("what undoes a change has its signals as from a shell, whatever the watcher ignores") {
    const Bench bench;
    REQUIRE(confirm::arm(bench.change("grep SigIgn /proc/self/status >$1/signals")));
    REQUIRE(confirm::undo("test"));
    const auto text = files::read(bench / "signals"); // "SigIgn:\t000000000000100"
    REQUIRE(text);
    const auto ignored = std::stoull(std::string(text->substr(text->find('\t'))), nullptr, 16);
    CHECK((ignored >> (SIGPIPE - 1) & 1U) == 0);
}

TEST_CASE("two changes of one name are refused, and one that is disarmed is forgotten") {
    const Bench bench;
    REQUIRE(confirm::arm(bench.change("touch \"$1\"/undone")));
    const auto second = confirm::arm(bench.change("true"));
    REQUIRE(!second);
    CHECK(second.error().code == Errc::conflict);
    REQUIRE(confirm::disarm("test"));
    REQUIRE(confirm::arm(bench.change("true")));
    REQUIRE(confirm::undo("test"));
    CHECK(!bench.has("undone"));
}

TEST_CASE("who began before the change cannot confirm it") {
    const Bench bench;
    REQUIRE(confirm::arm(bench.change("true")));
    const auto confirmed = confirm::confirm("test");
    REQUIRE(!confirmed);
    CHECK(confirmed.error().code == Errc::conflict);
    CHECK((*confirm::find("test"))->state == confirm::State::pending);
    CHECK(confirm::confirm("other").error().code == Errc::not_found);
}

TEST_CASE("undoing that fails is told, and tried again") {
    const Bench bench;
    REQUIRE(confirm::arm(bench.change("test -e \"$1\"/now || { echo not yet >&2; exit 3; }")));
    const auto undone = confirm::undo("test");
    REQUIRE(!undone);
    CHECK(undone.error().message == "cannot undo test: not yet");
    CHECK((*confirm::find("test"))->state == confirm::State::undo_failed);
    REQUIRE(files::create(bench / "now", "", 0600));
    CHECK(holds_soon([&] { return confirm::list()->empty(); }));
}

TEST_CASE("a change whose watcher was killed is undone by a new one") {
    const Bench bench;
    REQUIRE(confirm::arm(bench.change("touch \"$1\"/undone")));
    // The watcher says who it is in no file: it is the process that has this one open.
    pid_t watcher = 0;
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
        std::error_code ignored;
        for (const auto& file : std::filesystem::directory_iterator(process.path() / "fd", ignored))
            if (std::filesystem::read_symlink(file, ignored) == bench / "changes/test/watcher")
                watcher = std::stoi(process.path().filename());
    }
    REQUIRE(watcher > 1);
    REQUIRE(::getsid(watcher) == watcher);
    ::kill(watcher, SIGHUP); // as the end of a terminal does
    ::kill(watcher, SIGKILL);
    CHECK(holds_soon([] { return !confirm::list()->front().is_watched; }));
    CHECK(!bench.has("undone"));
    REQUIRE(confirm::undo("test"));
    CHECK(bench.has("undone"));
}

TEST_CASE("a confirmation that was cut short is completed by the watcher") {
    const Bench bench;
    REQUIRE(files::create(bench / "boot", "old", 0600));
    auto change = bench.change("touch \"$1\"/undone");
    change.boot_files.push_back({bench / "boot", SecretString("new"), 0640});
    REQUIRE(confirm::arm(change));
    const confirm::Place place("test");
    auto record = **place.read();
    record.pending.state = confirm::State::confirmed;
    REQUIRE(place.write(record));
    CHECK(holds_soon([&] { return confirm::list()->empty(); }));
    CHECK(*files::read(bench / "boot") == "new");
    CHECK(files::mode_of(bench / "boot") == 0640);
    CHECK(!bench.has("undone"));
}

TEST_CASE("what was confirmed can be taken back as long as its way back is kept") {
    const Bench bench;
    REQUIRE(files::create(bench / "boot", "old", 0600));
    auto change = bench.change("cp \"$2\" \"$1\"/undone");
    change.undo.push_back(confirm::data_path("test", "before"));
    change.data.push_back({"before", SecretString("as it was")});
    change.boot_files.push_back({bench / "boot", SecretString("new")});
    change.boot_files.push_back({bench / "fresh", SecretString("new")});
    REQUIRE(confirm::arm(change));
    const confirm::Place place("test");
    const auto back = bench / "back";
    REQUIRE(confirm::keep_way_back(place, **place.read(), back));
    CHECK(files::mode_of(back + "/data-before") == 0600);
    REQUIRE(confirm::disarm("test"));
    const auto confirmed = [&](const char* text) {
        REQUIRE(files::replace(bench / "boot", text, 0600));
        REQUIRE(files::replace(bench / "fresh", "new", 0600));
    };
    confirmed("somebody else's");
    CHECK(confirm::take_back(back).error().code == Errc::conflict);
    CHECK(!bench.has("undone"));
    confirmed("new");
    REQUIRE(confirm::take_back(back));
    CHECK(*files::read(bench / "undone") == "as it was");
    CHECK(*files::read(bench / "boot") == "old");
    CHECK(!bench.has("fresh"));
    CHECK(!confirm::has_way_back(back));
    CHECK(confirm::take_back(back).error().code == Errc::not_found);
    CHECK(!bench.has("back"));
}

TEST_CASE("a change that cannot be armed leaves nothing") {
    const Bench bench;
    auto change = bench.change("true");
    change.boot_files.push_back({bench / "nowhere/boot", SecretString("new")});
    CHECK(confirm::arm(change).error().code == Errc::not_found);
    change = bench.change("true");
    change.undo = {"true"};
    CHECK(confirm::arm(change).error().code == Errc::invalid);
    CHECK(confirm::list()->empty());
}
