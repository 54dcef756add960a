// wgkit-alert: alerts that are not lost.
#include <array>

#include "alert/commands.hpp"

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{
        Command{"send", "Report events, and send what follows from them", alert::send},
        Command{"test", "Send a test message to each target", alert::test},
        Command{"flush", "Send what waits in the spool", alert::flush},
        Command{"list", "Show what is wrong, what waits and which targets have trouble",
                alert::list},
        Command{"silence", "Hold back messages for a while", alert::silence},
    };
    return run("wgkit-alert", "Tell people what is wrong, and lose no message", commands, argc,
               argv);
}
