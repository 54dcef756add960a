#pragma once

#include "common/report.hpp"
#include "wgkit/fleet.hpp"

/// The node's side: verbs that act on this machine for an operator elsewhere.
namespace wgkit::tool::fleet {

/// Everything that this machine knows of its interfaces. Errors: those of devices and files.
Result<std::vector<wgkit::fleet::NodeInterface>> read_interfaces();
/// One of them; without file and device if there is none.
Result<wgkit::fleet::NodeInterface> read_interface(const std::string& name);

/// The private key of an interface: the running device's, else its file's, else that in
/// /etc/wireguard/IF.key. Errors: not_found, permission, invalid.
Result<PrivateKey> own_key(const std::string& interface);

/// The path of an interface's file.
std::string file_path(const std::string& interface);

/// The interface of ours that an ssh connection comes through; `connection` is $SSH_CONNECTION.
std::string ssh_interface(const std::string& connection,
                          const std::vector<wgkit::fleet::NodeInterface>& interfaces);

/// The verbs that change something; `answer.error` says what went wrong.
void do_plan(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_key(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_apply(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_confirm(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_keep(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_undo(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_rotate(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_revoke(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);

/// `wgkit-net WORDS...`; what it wrote to standard error becomes the Error.
Result<void> run_net(std::vector<std::string> words);

/// What a program of wgkit that failed has said, with its hint.
Error failure_of(const std::string& command, std::string_view errors);

/// What rules would change; also what endangers them becomes a warning. Errors: those of wgkit-fw.
Result<wgkit::fleet::NodeFirewall> plan_firewall(const wgkit::fleet::WantedFirewall& wanted,
                                                 wgkit::fleet::NodeAnswer& answer);
/// Loads the rules of the request, to be confirmed as its files. Errors: conflict (somebody has
/// changed them since the plan), those of wgkit-fw.
Result<void> apply_firewall(const wgkit::fleet::NodeRequest& request);
/// Whether a change of rules was made, or confirmed, that `undo` takes back and `keep` does not.
bool firewall_waits();

/// The drop-in with the kernel settings of an interface that forwards.
std::string settings_path(const std::string& interface);
/// Kernel settings that differ, and whether the drop-in does; lines as of a plan.
Result<std::vector<std::string>> host_changes(const wgkit::fleet::WantedFile& wanted);
/// Puts the drop-in in its place, or removes it.
Result<void> put_settings(const wgkit::fleet::WantedFile& wanted);
class StagedFile;
/// Makes kernel settings, and runs commands of PostUp that are new and of PostDown that are gone,
/// for an interface that is up; to be confirmed as its file, if `confirm` is not 0.
Result<void> change_host(const wgkit::fleet::WantedFile& wanted, const StagedFile& staged,
                         std::chrono::seconds confirm);
/// What that change is called.
std::string host_change(const std::string& interface);

/// Remembers that an interface was not up, and its file, before it is brought up.
Result<void> mark_new(const std::string& interface);
/// Has systemd bring an interface up at boot; what cannot be done becomes a warning.
Result<void> keep_new(const std::string& interface, wgkit::fleet::NodeAnswer& answer);
/// Takes keys that are listed as revoked off an interface and its file.
Result<void> drop_revoked(const std::string& interface);

/// Whether a change of the interface was confirmed, or made, that `undo` takes back and `keep` does
/// not.
bool can_go_back(const std::string& interface);
/// How long a change of the interface still waits for its confirmation, if one does.
std::optional<std::chrono::seconds> time_left(const std::string& interface);

} // namespace wgkit::tool::fleet
