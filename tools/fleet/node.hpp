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
void do_undo(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_rotate(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);
void do_revoke(const wgkit::fleet::NodeRequest& request, wgkit::fleet::NodeAnswer& answer);

/// How long a change of the interface still waits for its confirmation, if one does.
std::optional<std::chrono::seconds> time_left(const std::string& interface);

} // namespace wgkit::tool::fleet
