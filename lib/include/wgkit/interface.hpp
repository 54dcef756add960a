#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/config.hpp"
#include "wgkit/export.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Interfaces brought up and down from a file, as wg-quick(8) does it, but without a shell, and so
/// that a failure leaves nothing behind. wgkit-net(8) lists what differs on purpose.
namespace wgkit {

/// A file and the interface that it is of.
struct InterfaceFile {
    std::string path; ///< absolute, without symbolic links
    std::string interface;
};

/// Finds the file as wg-quick does: NAME is /etc/wireguard/NAME.conf, everything else a path whose
/// last part is the interface's name and ".conf"; with `interface` it may be named otherwise.
/// Errors: not_found, invalid (no such name).
WGKIT_API Result<InterfaceFile> find_interface_file(const std::string& name_or_path,
                                                    const std::string& interface = {});

/// Whether people who are neither the owner nor in the group can reach a file.
WGKIT_API bool is_world_accessible(const std::string& path);

/// How systemd-networkd or NetworkManager manages an interface, for people; empty if neither does.
WGKIT_API std::string network_manager_of(const std::string& interface);

/// How interfaces are brought up and down.
struct InterfaceOptions {
    bool hooks = true;      ///< run PreUp, PostUp, PreDown and PostDown
    bool take_over = false; ///< go on although another program manages the interface
    /// Each step before it is done, as a command; hears no secrets.
    std::function<void(const std::string&)> tell;
    /// What went wrong without being a reason to stop.
    std::function<void(const Error&)> warn;
    /// Asked between steps; once it is true, the operation ends as if the step had failed.
    std::function<bool()> is_interrupted;
};

/// Keeps others from changing an interface, until it dies or the process does: `bring_up`,
/// `bring_down` and everything else that changes one takes it.
class WGKIT_API InterfaceLock {
  public:
    /// Errors: conflict (another process has it), invalid (no such name), permission, system.
    static Result<InterfaceLock> take(const std::string& interface);
    InterfaceLock(InterfaceLock&& other) noexcept;
    InterfaceLock& operator=(InterfaceLock&&) = delete;
    InterfaceLock(const InterfaceLock&) = delete;
    InterfaceLock& operator=(const InterfaceLock&) = delete;
    ~InterfaceLock();

    /// By a full tunnel's mark `bring_down` finds its rules when the interface itself is gone: to
    /// be called before there are rules with it.
    Result<void> remember_mark(std::uint32_t mark);

  private:
    struct Held;
    explicit InterfaceLock(std::unique_ptr<Held> held);
    std::unique_ptr<Held> held_;
};

/// Makes the interface, configures it, and gives it addresses, MTU, routes and name servers. After
/// a failure all of it is undone. What an earlier run left behind that was killed is removed first.
/// `config` has no errors. Errors: exists, permission, conflict (somebody else manages it, or
/// changes it right now), not_found, system.
WGKIT_API Result<void> bring_up(const InterfaceFile& file, config::Config& config,
                                const InterfaceOptions& options = {});

/// Takes down what `bring_up` or wg-quick made of the file; goes on where an earlier run was
/// killed. Errors: not_found (it is not up), conflict, permission, system.
WGKIT_API Result<void> bring_down(const InterfaceFile& file, config::Config& config,
                                  const InterfaceOptions& options = {});

/// Takes peers away from a running interface; those that are not there are no error. Errors:
/// not_found (no interface), permission, system.
WGKIT_API Result<void> remove_peers(const std::string& interface, std::vector<PublicKey> keys);

/// The lines of a file that are not wg-quick's own, as `wg-quick strip` prints them, byte for byte.
WGKIT_API SecretString strip_config(std::string_view text);

/// Writes what the running interface is to its file. Comments, hooks and the names of hosts stay.
/// Errors: not_found, permission, system.
WGKIT_API Result<void> save_interface(const InterfaceFile& file, config::Config& config);

} // namespace wgkit
