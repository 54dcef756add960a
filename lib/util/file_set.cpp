#include "util/file_set.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <unordered_set>
#include <vector>

#include "util/errno_error.hpp"
#include "util/file_lock.hpp"
#include "util/write_file.hpp"

namespace wgkit::files {

namespace {

/// Ctrl-C between two renames would leave what only a kill may leave; it waits some milliseconds.
class SignalsHeld {
  public:
    SignalsHeld() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

/// A change of names that can be taken back: exchanging twice, or moving there and back.
struct Step {
    std::string from;
    std::string to;
    unsigned flags = RENAME_NOREPLACE;
};

class SetWriter {
  public:
    SetWriter(std::span<const NewFile> set, Overwrite overwrite)
        : set_(set), overwrite_(overwrite), replaces_(set.size(), false) {}
    SetWriter(const SetWriter&) = delete;
    SetWriter& operator=(const SetWriter&) = delete;
    /// Without commit(): everything back, no temporary file left.
    ~SetWriter() {
        for (auto step = done_.rbegin(); step != done_.rend(); ++step)
            ::renameat2(AT_FDCWD, step->to.c_str(), AT_FDCWD, step->from.c_str(), step->flags);
        for (const auto& name : temporaries_) ::unlink(name.c_str());
    }

    /// Nothing may be made, synced to disk or renamed before it is known that all may.
    Result<void> check() {
        for (std::size_t i = 0; i < set_.size(); ++i) {
            struct stat info {};
            if (::lstat(set_[i].path.c_str(), &info) != 0) {
                if (errno == ENOENT) continue;
                return errno_error(fmt::format("cannot stat {}", set_[i].path));
            }
            if (overwrite_ == Overwrite::no)
                return Error{Errc::exists, fmt::format("{} exists already", set_[i].path), {}};
            if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode))
                return Error{Errc::exists, fmt::format("{} is not a file", set_[i].path),
                             "move it out of the way"};
            replaces_[i] = true;
        }
        return {};
    }

    Result<void> write_temporaries() {
        for (const auto& file : set_) {
            auto name = write_temporary(file.path, file.content, file.mode, Sync::yes);
            if (!name) return std::move(name).error();
            temporaries_.push_back(*std::move(name));
        }
        return {};
    }

    /// Seals off, files in, seals on; `folder` is synced after each, so that a power failure cannot
    /// show a later step without an earlier one.
    Result<void> change_names(int folder, const std::string& folder_name) {
        for (const auto phase :
             {&SetWriter::remove_seal, &SetWriter::place_file, &SetWriter::place_seal}) {
            for (std::size_t i = 0; i < set_.size(); ++i)
                if (auto changed = (this->*phase)(i); !changed) return changed;
            if (::fsync(folder) != 0)
                return errno_error(fmt::format("cannot sync {}", folder_name));
        }
        return {};
    }

    /// What was replaced is in the temporary files now; the caller sweeps them.
    void commit() {
        done_.clear();
        temporaries_.clear();
    }

  private:
    Result<void> remove_seal(std::size_t i) {
        if (!set_[i].seal || !replaces_[i]) return {};
        // A name of its own, which no mkostemp makes: the temporary file is still needed.
        return change({set_[i].path, temporaries_[i] + "-"}, i);
    }

    Result<void> place_file(std::size_t i) {
        if (set_[i].seal) return {};
        return change({temporaries_[i], set_[i].path,
                       replaces_[i] ? unsigned{RENAME_EXCHANGE} : unsigned{RENAME_NOREPLACE}},
                      i);
    }

    Result<void> place_seal(std::size_t i) {
        if (!set_[i].seal) return {};
        return change({temporaries_[i], set_[i].path}, i);
    }

    Result<void> change(Step step, std::size_t i) {
        if (::renameat2(AT_FDCWD, step.from.c_str(), AT_FDCWD, step.to.c_str(), step.flags) == 0) {
            done_.push_back(std::move(step));
            return {};
        }
        if (errno == EEXIST)
            return Error{Errc::exists, fmt::format("{} exists already", set_[i].path), {}};
        return errno_error(fmt::format("cannot write {}", set_[i].path));
    }

    std::span<const NewFile> set_;
    Overwrite overwrite_;
    std::vector<bool> replaces_;
    std::vector<std::string> temporaries_;
    std::vector<Step> done_;
};

/// Removes the temporary files of these names: replaced content and what killed runs left.
void sweep(const std::string& folder, std::span<const NewFile> set) {
    std::unordered_set<std::string_view> names;
    for (const auto& file : set)
        names.insert(std::string_view(file.path).substr(file.path.rfind('/') + 1));
    struct Close {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    const std::unique_ptr<DIR, Close> stream(::opendir(folder.c_str()));
    if (!stream) return;
    while (const dirent* entry = ::readdir(stream.get()))
        if (names.contains(temporary_of(entry->d_name)))
            ::unlinkat(::dirfd(stream.get()), entry->d_name, 0);
}

} // namespace

Result<void> write_set(const std::string& folder, std::span<const NewFile> set,
                       Overwrite overwrite) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return errno_error(fmt::format("cannot open folder {}", folder));
    // Some network file systems cannot lock a folder; the renames are exclusive there all the same.
    (void)take_lock(fd, folder, Waiting::yes);

    SetWriter writer(set, overwrite);
    if (auto free = writer.check(); !free) return free;
    if (auto written = writer.write_temporaries(); !written) return written;
    {
        const SignalsHeld held;
        if (auto changed = writer.change_names(fd.get(), folder); !changed) return changed;
        writer.commit();
    }
    sweep(folder, set);
    return {};
}

} // namespace wgkit::files
