#include "util/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "util/errno_error.hpp"
#include "util/write_file.hpp"

namespace wgkit {

namespace {

/// As exec(3) wants them, which does not change them.
void append_pointers(std::vector<char*>& to, std::span<const std::string> texts) {
    for (const auto& text : texts) to.push_back(const_cast<char*>(text.c_str()));
}

} // namespace

Result<UniqueFd> spawn_input(std::string_view text) {
    UniqueFd file(text.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC)
                               : ::memfd_create("input", MFD_CLOEXEC));
    if (!file) return errno_error("cannot prepare a program's input");
    if (text.empty()) return file;
    auto written = files::write_all(file.get(), text, "a program's input");
    if (!written) return std::move(written).error();
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

Result<pid_t> spawn(std::span<const std::string> words, const SpawnActions& actions,
                    const SpawnAttributes& attributes, std::span<const std::string> environment) {
    std::vector<char*> arguments;
    append_pointers(arguments, words);
    arguments.push_back(nullptr);
    std::vector<char*> variables;
    append_pointers(variables, environment);
    for (char** one = environ; *one != nullptr; ++one) variables.push_back(*one);
    variables.push_back(nullptr);
    pid_t process = 0;
    const int failure = ::posix_spawnp(&process, arguments.front(), &actions.value,
                                       &attributes.value, arguments.data(), variables.data());
    if (failure != 0) return errno_error(fmt::format("cannot run {}", words.front()), failure);
    return process;
}

int wait_for_exit(pid_t process) {
    int status = 0;
    while (::waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace wgkit
