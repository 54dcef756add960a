// wgkit-rollback: what `apply --confirm` starts before it changes anything. Waits for the
// confirmation; if none comes, undoes the change.
#include <syslog.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "common/app.hpp"
#include "wgkit/confirm.hpp"

namespace {

using namespace wgkit;

/// Whether what is written to standard error gets into the system's log by itself.
bool systemd_logs_errors() { return std::getenv("JOURNAL_STREAM") != nullptr; }

/// To the system's log, which is read when the terminal is gone, and to standard error.
void tell(const tool::Report& report, confirm::Severity severity, const std::string& text) {
    const bool is_error = severity == confirm::Severity::error;
    ::syslog(is_error                                 ? LOG_ERR
             : severity == confirm::Severity::warning ? LOG_WARNING
                                                      : LOG_INFO,
             "%s", text.c_str());
    if (systemd_logs_errors()) return; // once is enough
    if (is_error)
        report.error(text);
    else
        report.note(text);
}

/// Somebody's way back hangs on this process: when memory runs out, others go.
void avoid_the_memory_killer() {
    std::FILE* file = std::fopen("/proc/self/oom_score_adj", "we");
    if (file == nullptr) return;
    std::fputs("-1000", file);
    std::fclose(file);
}

tool::Action setup_rollback(tool::Arguments arguments) {
    auto name = std::make_shared<std::string>();
    arguments.add_option("name", *name, "A change that waits for its confirmation, e.g. net-wg0")
        .type_name("NAME")
        .required();
    return [name](const tool::Report& report) -> int {
        // Whoever made the change may be gone at any time.
        std::signal(SIGHUP, SIG_IGN);
        std::signal(SIGPIPE, SIG_IGN);
        avoid_the_memory_killer();
        ::openlog("wgkit-rollback", LOG_PID, LOG_DAEMON);
        const auto ended = confirm::watch(
            *name, [&report](auto severity, const auto& text) { tell(report, severity, text); });
        if (ended) return tool::exit_ok;
        ::syslog(LOG_ERR, "%s", ended.error().message.c_str());
        return report.error(ended.error());
    };
}

} // namespace

int main(int argc, char** argv) {
    constexpr std::array commands{tool::Command{"", "", setup_rollback}};
    return tool::run("wgkit-rollback", "Undo a change unless it is confirmed in time", commands,
                     argc, argv);
}
