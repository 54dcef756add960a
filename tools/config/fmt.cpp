#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/secret_output.hpp"
#include "file.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::config {

namespace {

struct FmtOptions {
    Inputs inputs;
    bool write = false;
    bool check = false;
};

/// Replaces the file with the same mode. A symbolic link stays, the file it leads to is replaced.
Result<void> rewrite(const std::string& path, const SecretString& text) {
    std::error_code failure;
    const auto target = std::filesystem::canonical(path, failure).string();
    struct stat info {};
    if (failure || ::stat(target.c_str(), &info) != 0)
        return Error{Errc::system, fmt::format("cannot replace {}", path), {}};
    // The new file would be ours, and the one who must read it (systemd-networkd) locked out.
    if (info.st_uid != ::geteuid() || info.st_gid != ::getegid())
        return Error{Errc::permission,
                     fmt::format("{} belongs to another user or group, which would change", path),
                     fmt::format("run as its owner, or copy the output of fmt {}", path)};
    return files::replace(target, text, info.st_mode & 07777U);
}

int one(const FmtOptions& options, const std::string& path, const Report& report) {
    auto file = load(path, options.inputs, report);
    if (!file) return exit_failed;
    if (!file->good()) {
        report.findings(file->errors(), file->text);
        return exit_failed;
    }
    const auto text = wgkit::config::write(file->config);
    const bool same = text == file->text;
    if (options.check) {
        if (!same) ::fmt::print("{}\n", path);
        return same ? exit_ok : exit_differences;
    }
    if (!options.write) {
        print(text);
        return exit_ok;
    }
    if (same) return exit_ok;
    const auto replaced = rewrite(path, text);
    return replaced ? static_cast<int>(exit_ok) : report.error(replaced.error());
}

int run_fmt(const FmtOptions& options, const Report& report) {
    const auto& files = options.inputs.files;
    const bool has_stdin = std::find(files.begin(), files.end(), "-") != files.end();
    if (options.write && has_stdin) {
        report.error("--write needs files, not standard input");
        return exit_usage;
    }
    if (files.size() > 1 && !options.write && !options.check) {
        report.error("several files would be printed as one", "use --write or --check");
        return exit_usage;
    }
    int worst = exit_ok;
    for (const auto& path : files) {
        const int status = one(options, path, report);
        if (status == exit_failed || worst == exit_ok) worst = status;
    }
    return worst;
}

} // namespace

Action format(Arguments app) {
    auto options = std::make_shared<FmtOptions>();
    add_inputs(app, options->inputs);
    auto write = app.add_flag("-w,--write", options->write,
                              "Rewrite the files in place instead of printing the text");
    app.add_flag("--check", options->check,
                 "Only print the names of files that would change; exit with 2 if there are any")
        .excludes(write);
    return [options](const Report& report) { return run_fmt(*options, report); };
}

} // namespace wgkit::tool::config
