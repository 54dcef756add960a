"""Seeded mistakes of each emitter: what a bug of it would make of the emitted text."""
import re

TUNNEL = r'\{ "wg0", "wg0-2" \}'


def each(pattern, change):
    """Every place that matches, changed."""
    return lambda text: re.sub(pattern, change, text, flags=re.M)


def shift(group, by):
    """A number that matched, off by one."""
    return lambda m: m[0][:m.start(group) - m.start()] + str(max(0, int(m[group]) + by)) + m[0][m.end(group) - m.start():]


def without_chain_end(chain):
    return each(rf"(  chain {chain} {{\n(?:    .*\n)*?)    counter drop\n", r"\1")


NFTABLES = {
    "no anti-spoofing for IPv4": each(rf"^    iifname != {TUNNEL} ip saddr .* drop\n", ""),
    "no anti-spoofing for IPv6": each(rf"^    iifname != {TUNNEL} ip6 saddr .* drop\n", ""),
    "anti-spoofing on the tunnel": each(rf"iifname != ({TUNNEL} ip6? saddr .* drop)", r"iifname \1"),
    "anti-spoofing by destination": each(rf"(iifname != {TUNNEL} ip6? )saddr", r"\1daddr"),
    "input accepts at its end": without_chain_end("tunnel_in"),
    "forward out of the tunnel accepts at its end": without_chain_end("leaves"),
    "forward into the tunnel accepts at its end": without_chain_end("enters"),
    "forward within the tunnel accepts at its end": without_chain_end("stays"),
    "outside rules are left out": each(r"goto outside_in", "accept"),
    "outside is dropped": each(r"goto outside_in", "drop"),
    "outside goes to the tunnel's chain": each(r"goto outside_in", "goto tunnel_in"),
    "tunnel goes to the outside's chain": each(r"goto tunnel_in", "goto outside_in"),
    "no known flows": each(r"established : accept, ", ""),
    "established is dropped": each(r"established : accept", "established : drop"),
    "invalid is accepted": each(r"invalid : drop", "invalid : accept"),
    "replies only": each(r"^    (ip.* @\w+) accept", r"    ct direction reply \1 accept"),
    "no ping for IPv4": each(r"icmp type \{ 3, 11, 12, 8 \}", "icmp type { 3, 11, 12 }"),
    "no ping for IPv6": each(r"icmpv6 type \{ 1, 2, 3, 4, 128 \}", "icmpv6 type { 1, 2, 3, 4 }"),
    "any ICMP is let through": each(r"icmp type \{ 3, 11, 12, 8 \}", "meta l4proto 1"),
    "ping into the tunnel": each(rf"iifname {TUNNEL} (icmp type 8)", r"\1"),
    "no ping is forwarded": each(rf"^    iifname {TUNNEL} icmp(v6)? type .*\n", ""),
    "no IPv4 sets": each(r"^    ip saddr . ip daddr.* accept\n", ""),
    "no IPv6 sets": each(r"^    ip6 saddr . ip6 daddr.* accept\n", ""),
    "source and destination are exchanged": each(r"(ip6?) saddr \. ip6? daddr", r"\1 daddr . \1 saddr"),
    "source port instead of destination port": each(r"th dport", "th sport"),
    "exact elements lose their first": each(r"(elements = \{\n)      [^\n/-]*\n(?=      )", r"\1"),
    "elements lose their last": each(r"\n      [^\n]*,\n    \}\n", "\n    }\n"),
    "ranges begin one later": each(r" (\d+)-\d+,", shift(1, 1)),
    "ranges end one earlier": each(r" \d+-(\d+),", shift(1, -1)),
    "ranges end one later": each(r" \d+-(\d+),", lambda m: shift(1, 1)(m) if int(m[1]) < 65535 else m[0]),
    "prefixes one bit longer": each(r"(?<=[\d:])/(\d+) \.", lambda m: f"/{int(m[1]) + 1} ." if int(m[1]) < 32 else m[0]),
    "TCP becomes UDP": each(r" \. 6 \. ", " . 17 . "),
    "UDP becomes TCP": each(r" \. 17 \. ", " . 6 . "),
    "rules of their own are left out": each(r"^    ip6? .*limit rate.*\n", ""),
    "the listen port is closed": each(r"^    udp dport 51820 accept.*\n", "    udp dport 51820 drop\n"),
    "the listen port is TCP": each(r"udp dport 51820", "tcp dport 51820"),
    "forwarding is not filtered": each(rf"^    [io]ifname {TUNNEL} goto tunnel_forward\n", ""),
    "only what comes out of the tunnel is forwarded by rules": each(rf"^    oifname {TUNNEL} goto tunnel_forward\n", ""),
    "directions are exchanged": each(rf"(iifname != {TUNNEL} goto )enters", r"\1leaves"),
    "hub rules for what leaves": each(rf"oifname ({TUNNEL}) goto stays", r"oifname != \1 goto stays"),
    "accept becomes drop": each(r"(@\w+) accept", r"\1 drop"),
    "closed outside stays open": without_chain_end("outside_in"),
    "the second device is no tunnel for what comes in": each(rf"(iifname (!= )?){TUNNEL}", r'\1"wg0"'),
    "the second device is no tunnel for what leaves": each(rf"(oifname (!= )?){TUNNEL}", r'\1"wg0"'),
    "the second port is closed": each(r"^    udp dport 51920 accept.*\n", "    udp dport 51920 drop\n"),
}


def swapped(pattern, one, other):
    """Two words exchanged where the pattern matches."""
    return each(pattern, lambda m: m[0].replace(one, "\0").replace(other, one).replace("\0", other))


def longer(m):
    return f"{m[1]}/{int(m[2]) + 1} " if int(m[2]) < (128 if ":" in m[1] else 32) else m[0]


def end_of_outside(text):
    """The chain of what comes in ends in a drop that nobody asked for."""
    return re.sub(r"^(-A wgkit-tun)", r"-A wgkit-in-wg0 -j DROP\n\1", text, count=1, flags=re.M)


IPTABLES = {
    "no anti-spoofing for IPv4": each(r"^-A wgkit-(in|fwd)-wg0 -s [\d.]+/\d+ -j DROP\n", ""),
    "no anti-spoofing for IPv6": each(r"^-A wgkit-(in|fwd)-wg0 -s \S*:\S* -j DROP\n", ""),
    "no anti-spoofing of what is forwarded": each(r"^-A wgkit-fwd-wg0 -s \S+ -j DROP\n", ""),
    "anti-spoofing by destination": each(r"^(-A wgkit-(?:in|fwd)-wg0) -s (\S+ -j DROP)", r"\1 -d \2"),
    "the second device is no tunnel for what comes in": each(r"^-A wgkit-in-wg0 -i wg0-2 .*\n", ""),
    "the second device is no tunnel for what is forwarded out of it": each(r"^-A wgkit-fwd-wg0 -i wg0-2 .*\n", ""),
    "the second device is no tunnel for what is forwarded into it": each(r"^-A wgkit-fwd-wg0 -o wg0-2 .*\n", ""),
    "input accepts at its end": each(r"^-A wgkit-tun-wg0 -j DROP\n", ""),
    "forward out of the tunnel accepts at its end": each(r"^-A wgkit-from-wg0 -j DROP\n", ""),
    "forward into the tunnel accepts at its end": each(r"^-A wgkit-to-wg0 -j DROP\n", ""),
    "forward within the tunnel accepts at its end": each(r"^-A wgkit-via-wg0 -j DROP\n", ""),
    "outside is dropped": end_of_outside,
    "closed outside stays open": each(r"^-A wgkit-in-wg0 -j DROP\n", ""),
    "what comes out of the tunnel is not asked about": each(r"-g wgkit-tun-wg0", "-j RETURN"),
    "outside goes to the tunnel's chain": each(r"^-A wgkit-in-wg0 -i wg0 -g", "-A wgkit-in-wg0 -g"),
    "no known flows": each(r"^.*RELATED,ESTABLISHED.*\n", ""),
    "established is dropped": each(r"(ESTABLISHED -j) ACCEPT", r"\1 DROP"),
    "invalid is accepted": each(r"(INVALID -j) DROP", r"\1 ACCEPT"),
    "replies only": each(r"( --comment .*-j ACCEPT)", r" -m conntrack --ctdir REPLY\1"),
    "no ping for IPv4": each(r"^.*--icmp-type 8 .*\n", ""),
    "no ping for IPv6": each(r"^.*--icmpv6-type 128 .*\n", ""),
    "any ICMP is let through": each(r"-p icmp --icmp-type 3 ", "-p icmp "),
    "ping into the tunnel": each(r"^(-A wgkit-to-wg0 -p icmp --icmp-type) 12 (.*)$", r"\1 12 \2\n\1 8 \2"),
    "source and destination are exchanged": each(r"-s (\S+) -d (\S+) (.*ACCEPT)", r"-s \2 -d \1 \3"),
    "sources are left out": each(r"-s \S+ (.*-j ACCEPT)", r"\1"),
    "destinations are left out": each(r"-d \S+ (.*-j ACCEPT)", r"\1"),
    "ports are left out": each(r"-p (tcp|udp) (-m multiport )?--dports? \S+ (.*wgkit|.*nodes)", r"-p \1 \3"),
    "source port instead of destination port": each(r"--dport", "--sport"),
    "lists lose their last port": each(r"(--dports \S*),[\d:]+ ", r"\1 "),
    "ranges begin one later": each(r" (\d+):\d+ ", shift(1, 1)),
    "ranges end one earlier": each(r"\d:(\d+) ", shift(1, -1)),
    "prefixes one bit longer": each(r"(?<=-[sd] )(\S+)/(\d+) ", longer),
    "TCP becomes UDP": each(r"-p tcp (.*ACCEPT)", r"-p udp \1"),
    "UDP becomes TCP": each(r"-p udp (.*ACCEPT)", r"-p tcp \1"),
    "IPv4 rules are left out": each(r"^.* -[sd] [\d.]+(/\d+)? .*-j ACCEPT\n", ""),
    "IPv6 rules are left out": each(r"^.* -[sd] \S*:\S* .*-j ACCEPT\n", ""),
    "rules with a limit are left out": each(r"^.*-m limit .*ACCEPT\n", ""),
    "the listen port is closed": each(r"(--dport 51820 .*) ACCEPT", r"\1 DROP"),
    "the second port is closed": each(r"(--dport 51920 .*) ACCEPT", r"\1 DROP"),
    "forwarding out of the tunnel is not filtered": each(r"-g wgkit-from-wg0", "-j RETURN"),
    "forwarding into the tunnel is not filtered": each(r"-g wgkit-to-wg0", "-j RETURN"),
    "directions are exchanged": swapped(r"-g wgkit-(from|to)-", "from", "to"),
    "rules of a hub are not asked": each(r"^.* -g wgkit-via-wg0\n", ""),
    "rules of a hub for what leaves": each(r"-A wgkit-from-wg0 -o wg0 -g", "-A wgkit-from-wg0 -g"),
    "accept becomes drop": each(r"( --comment .*-j) ACCEPT", r"\1 DROP"),
}

UFW = IPTABLES | {
    "no way into the rules of what comes in": each(r"for hook in input forward", "for hook in forward"),
    "no way into the rules of what is forwarded": each(r"for hook in input forward", "for hook in input"),
}

FIREWALLD = {
    "no anti-spoofing for IPv4": each(r'^  <rule family="ipv4" priority="-10">.*\n', ""),
    "no anti-spoofing for IPv6": each(r'^  <rule family="ipv6" priority="-10">.*\n', ""),
    "anti-spoofing by destination": each(r'(priority="-10"><)source', r"\1destination"),
    "anti-spoofing after the rules": each(r'(<rule family="ipv." priority=)"-10"', r'\1"10"'),
    "anti-spoofing within the tunnel": each(r'<ingress-zone name="ANY"/>', '<ingress-zone name="wgkit-wg0"/>'),
    "input goes on at its end": each(r'target="DROP" priority="-200"', 'target="CONTINUE" priority="-200"'),
    "closed outside stays open": each(r'target="DROP" priority="-190"', 'target="CONTINUE" priority="-190"'),
    "outside is dropped": each(r'target="CONTINUE" priority="-190"', 'target="DROP" priority="-190"'),
    "forward within the tunnel goes on at its end": each(r'"DROP" priority="-180"', '"ACCEPT" priority="-180"'),
    "forward out of the tunnel goes on at its end": each(r'"DROP" priority="-170"', '"ACCEPT" priority="-170"'),
    "forward into the tunnel goes on at its end": each(r'"DROP" priority="-160"', '"CONTINUE" priority="-160"'),
    "the widest pair of zones first": each(r'priority="-180"', 'priority="-155"'),
    "outside before the tunnel": each(r'priority="-190"', 'priority="-210"'),
    "the second device is in no zone": each(r'^  <interface name="wg0-2"/>\n', ""),
    "the interface is in no zone": each(r'^  <interface name="wg0"/>\n', ""),
    "directions are exchanged": each(r'<ingress-zone name="(wgkit-wg0|ANY)"/>\n  <egress-zone name="(wgkit-wg0|ANY)"/>',
                                     r'<ingress-zone name="\2"/>\n  <egress-zone name="\1"/>'),
    "what is forwarded is taken for what comes in": each(r'<egress-zone name="(?:wgkit-wg0|ANY)"/>',
                                                         '<egress-zone name="HOST"/>'),
    "no ping for IPv4": each(r'^  <rule family="ipv4"><icmp-type name="echo-request"/>.*\n', ""),
    "no ping for IPv6": each(r'^  <rule family="ipv6"><icmp-type name="echo-request"/>.*\n', ""),
    "any ICMP is let through": each(r'<icmp-type name="echo-request"/>', '<protocol value="icmp"/>'),
    "ping is dropped": each(r'(<icmp-type name="echo-request"/>)<accept/>', r"\1<drop/>"),
    "source and destination are exchanged": each(r'<source (address="[^"]*")/><destination (address="[^"]*")/>(.*accept)',
                                                 r"<source \2/><destination \1/>\3"),
    "sources are left out": each(r'<source address="[^"]*"/>(<destination.*<accept)', r"\1"),
    "destinations are left out": each(r'<destination address="[^"]*"/>(.*<accept)', r"\1"),
    "ports are left out": each(r'<port port="[\d-]+" protocol="(\w+)"/>', r'<protocol value="\1"/>'),
    "source port instead of destination port": each(r"<port port", "<source-port port"),
    "ranges begin one later": each(r'"(\d+)-\d+"', shift(1, 1)),
    "ranges end one earlier": each(r'"\d+-(\d+)"', shift(1, -1)),
    "prefixes one bit longer": each(r'(?<=address=")([^"/]+)/(\d+)(?=")', lambda m: longer(m).strip()),
    "TCP becomes UDP": each(r'protocol="tcp"', 'protocol="udp"'),
    "UDP becomes TCP": each(r'protocol="udp"', 'protocol="tcp"'),
    "a protocol becomes another": each(r'<protocol value="47"/>', '<protocol value="46"/>'),
    "IPv4 rules are left out": each(r'^  <rule family="ipv4"><(source|destination).*<accept.*\n', ""),
    "IPv6 rules are left out": each(r'^  <rule family="ipv6"><(source|destination).*<accept.*\n', ""),
    "IPv4 rules are for IPv6": each(r'family="ipv4"(><port)', r'family="ipv6"\1'),
    "rules with a limit are left out": each(r"^.*<accept><limit.*\n", ""),
    "the listen port is closed": each(r'(<port port="51820" protocol="udp"/>)<accept/>', r"\1<drop/>"),
    "the second port is closed": each(r'(<port port="51920" protocol="udp"/>)<accept/>', r"\1<drop/>"),
    "accept becomes drop": each(r"(<source.*)<accept/>", r"\1<drop/>"),
    "drop becomes accept": each(r"(<source.*)<drop/>", r"\1<accept/>"),
}

MUTANTS = {"nftables": NFTABLES, "iptables": IPTABLES, "ufw": UFW, "firewalld": FIREWALLD}
