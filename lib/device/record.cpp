#include "device/record.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/file_lock.hpp"
#include "util/interface_name.hpp"
#include "util/namespace.hpp"
#include "wgkit/files.hpp"
#include "wgkit/interface.hpp"

namespace wgkit {

namespace {

constexpr const char* folder = "/run/wgkit";
constexpr std::array<std::string_view, 4> phases{"none", "starting", "up", "stopping"};

} // namespace

Result<InterfaceRecord> InterfaceRecord::open(const std::string& interface) {
    if (auto made = files::make_folders(folder, 0755); !made) return made.error();
    InterfaceRecord record;
    const auto name = name_across_namespaces(interface);
    record.path_ = fmt::format("{}/{}.state", folder, name);
    const std::string lock = fmt::format("{}/{}.lock", folder, name);
    auto held = lock_file(lock, Waiting::no);
    if (!held && held.error().code == Errc::conflict)
        return Error{Errc::conflict,
                     fmt::format("another process is changing {} right now", interface),
                     "try again when it has ended"};
    if (!held) return held.error();
    record.lock_ = *std::move(held);
    const auto text = files::read(record.path_);
    if (!text) {
        if (text.error().code == Errc::not_found) return record;
        return text.error();
    }
    for (const auto line : ascii::split(*text, '\n')) {
        const auto equals = line.find('=');
        if (equals == line.npos) continue;
        const auto value = line.substr(equals + 1);
        if (line.starts_with("phase="))
            for (std::size_t i = 0; i < phases.size(); ++i)
                if (phases.at(i) == value) record.phase_ = static_cast<Phase>(i);
        if (line.starts_with("mark="))
            record.mark_ =
                static_cast<std::uint32_t>(ascii::to_number(value, 0xffffffff).value_or(0));
    }
    return record;
}

Result<void> InterfaceRecord::write(Phase phase, std::uint32_t mark) {
    phase_ = phase;
    mark_ = mark;
    return files::replace(
        path_, fmt::format("phase={}\nmark={}\n", phases.at(static_cast<std::size_t>(phase)), mark),
        0644);
}

Result<void> InterfaceRecord::remove() {
    if (::unlink(path_.c_str()) == 0 || errno == ENOENT) return {};
    return errno_error(path_);
}

struct InterfaceLock::Held {
    InterfaceRecord record;
};

InterfaceLock::InterfaceLock(std::unique_ptr<Held> held) : held_(std::move(held)) {}
InterfaceLock::InterfaceLock(InterfaceLock&&) noexcept = default;
InterfaceLock::~InterfaceLock() = default;

Result<InterfaceLock> InterfaceLock::take(const std::string& interface) {
    // Else it could become another path.
    if (!is_interface_name(interface)) return no_interface_name(interface);
    auto record = InterfaceRecord::open(interface);
    if (!record) return record.error();
    return InterfaceLock(std::make_unique<Held>(Held{*std::move(record)}));
}

Result<void> InterfaceLock::remember_mark(std::uint32_t mark) {
    auto& record = held_->record;
    if (record.mark() == mark) return {};
    return record.write(InterfaceRecord::Phase::up, mark);
}

} // namespace wgkit
