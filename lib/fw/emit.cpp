#include "fw/emitters.hpp"
#include "fw/firewalld.hpp"
#include "fw/interface.hpp"

namespace wgkit::fw {

std::string_view to_string(Backend backend) {
    switch (backend) {
    case Backend::ufw:
        return "ufw";
    case Backend::nftables:
        return "nftables";
    case Backend::iptables:
        return "iptables";
    case Backend::firewalld:
        return "firewalld";
    }
    return "";
}

Result<std::string> emit(const Ruleset& ruleset, Backend backend) {
    if (auto fits = check_interface(ruleset.interface); !fits) return fits.error();
    switch (backend) {
    case Backend::ufw:
        return emit_ufw(ruleset);
    case Backend::nftables:
        return emit_nftables(ruleset);
    case Backend::iptables:
        return emit_iptables(ruleset);
    case Backend::firewalld:
        if (auto fits = check_firewalld_interface(ruleset.interface); !fits) return fits.error();
        return emit_firewalld(ruleset);
    }
    return Error{Errc::invalid, "no such firewall", {}};
}

Result<std::string> emit_removal(const std::string& interface, Backend backend) {
    if (auto fits = check_interface(interface); !fits) return fits.error();
    switch (backend) {
    case Backend::ufw:
        return remove_ufw(interface);
    case Backend::nftables:
        return remove_nftables(interface);
    case Backend::iptables:
        return remove_iptables(interface);
    case Backend::firewalld:
        if (auto fits = check_firewalld_interface(interface); !fits) return fits.error();
        return remove_firewalld(interface);
    }
    return Error{Errc::invalid, "no such firewall", {}};
}

} // namespace wgkit::fw
