#!/usr/bin/python3
"""The engine as a process: how it starts, what it refuses, what ends it, and that nothing is left."""
import fcntl
import os
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import uapi
from bed import die_with_parent, end_process, run, wait_for
from device import fill_command, make_keys
from pairs import LEFT4, LEFT6, RIGHT4, RIGHT6, veth_pair
from scenario import main, scenario
from tools import need
from traffic import works

TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 1, 0x1000, 0x4000
LOGS = {"wireguard-go": "says it as a line of its log, behind others"}


def in_background(command):
    """The command without the option that keeps it in the foreground."""
    return shlex.join(word for word in shlex.split(command) if word not in ("-f", "--foreground"))


def links(namespace):
    return {line.split(":")[1].split("@")[0].strip() for line in namespace.run("ip", "-o", "link").stdout.splitlines()}


def gone(device):
    """Neither socket nor interface is left."""
    return not os.path.exists(device.path) and device.name not in links(device.namespace)


def refused(bed, namespace, command, name, before=(), seconds=5, **options):
    """Starts an engine that must end by itself with an error; (status, what it said)."""
    ran = namespace.run(*before, *fill_command(command, name), check=False, timeout=seconds,
                        stdin=subprocess.DEVNULL, **options)
    said = ran.stderr + ran.stdout
    assert ran.returncode > 0, f"status {ran.returncode} for {name!r}: {said}"
    assert said.strip(), f"no word about {name!r}"
    assert "panic" not in said and "goroutine" not in said and "terminate called" not in said, said
    return ran.returncode, said


def one_line(said):
    """One error; what to do about it may follow in lines that begin with `hint: `."""
    lines = [line for line in said.strip().splitlines() if not line.startswith("hint: ")]
    assert len(lines) == 1, f"more than one line: {said}"


@scenario(known={"wireguard-go": "takes any name as the name of a socket, and cuts long ones"})
def invalid_names(bed, engines):
    """Empty, too long, with a slash, a blank or a percent sign, '.' and '..': refused, nothing is left."""
    namespace = bed.namespace()
    sockets = set(os.listdir(uapi.SOCKETS)) if os.path.isdir(uapi.SOCKETS) else set()
    try:
        for name in ("sixteen-letters-", "wk/x", "wk x", "..", ".", "wk\n", "../wk", ""):
            _, said = refused(bed, namespace, engines.engine, name, seconds=2)
            one_line(said)
            assert links(namespace) <= {"lo", "ifb0", "ifb1"}, links(namespace)
        assert not [n for n in set(os.listdir(uapi.SOCKETS)) - sockets if not n[2:3].isdigit()], "a socket is left"
    finally:
        for name in set(os.listdir(uapi.SOCKETS)) - sockets:
            if not name[2:3].isdigit():  # those are of tests beside this one
                os.unlink(os.path.join(uapi.SOCKETS, name))


@scenario(known=LOGS)
def name_taken_by_another_link(bed, engines):
    """An interface of that name that is no tunnel: refused in one line, the interface stays as it is."""
    namespace, name = bed.namespace(), bed.unique("wk")
    namespace.ip(f"link add {name} type bridge")
    _, said = refused(bed, namespace, engines.engine, name)
    assert name in links(namespace) and not os.path.exists(uapi.socket_path(name))
    one_line(said)
    assert name in said, f"the name is missing: {said}"


@scenario(known=LOGS)
def second_instance(bed, engines):
    """The same name again, in this namespace or another: refused in one line, the first goes on."""
    device = bed.device(bed.namespace(), engines.engine)
    for namespace in (device.namespace, bed.namespace()):
        _, said = refused(bed, namespace, engines.engine, device.name)
        assert uapi.get(device.name)[-1] == ("errno", "0"), "the first instance lost its socket"
        assert device.name in links(device.namespace)
        assert namespace is device.namespace or device.name not in links(namespace)
        one_line(said)


@scenario(known=LOGS)
def no_tun_device(bed, engines):
    """/dev/net/tun is missing: one line that names it, nothing is left."""
    namespace, name = bed.namespace(), bed.unique("wk")
    _, said = refused(bed, namespace, engines.engine, name,
                      ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh"))
    assert "/dev/net/tun" in said and not os.path.exists(uapi.socket_path(name)), said
    one_line(said)


@scenario(known=LOGS)
def no_permission(bed, engines):
    """Without capabilities: one line, nothing is left."""
    namespace, name = bed.namespace(), bed.unique("wk")
    _, said = refused(bed, namespace, engines.engine, name,
                      (need("setpriv", "util-linux"), "--reuid=65534", "--clear-groups",
                       "--inh-caps=-all", "--bounding-set=-all"), cwd="/")
    assert not os.path.exists(uapi.socket_path(name)) and name not in links(namespace)
    one_line(said)


@scenario
def a_failure_in_the_background_is_seen(bed, engines):
    """Without -f the parent's status tells of the failure, too."""
    device = bed.device(bed.namespace(), engines.engine)
    refused(bed, device.namespace, in_background(engines.engine), device.name)


@scenario(known={"wireguard-go": "prints its usage and ends with 0"})
def usage(bed, engines):
    """No name or too many: a status other than 0, and how to call it."""
    program = shlex.split(engines.engine)[0]
    for arguments in ((), ("a", "b", "c")):
        ran = bed.namespace().run(program, *arguments, check=False, timeout=5)
        assert ran.returncode > 0 and (ran.stderr + ran.stdout).strip(), ran


@scenario
def stale_socket_file(bed, engines):
    """A socket that nobody listens on, as after a kill: replaced."""
    namespace, name = bed.namespace(), bed.unique("wk")
    os.makedirs(uapi.SOCKETS, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(uapi.socket_path(name))
    device = bed.device(namespace, engines.engine, name=name)
    device.process.kill()
    device.process.wait(5)
    assert os.path.exists(device.path), "the kill took the socket with it"
    wait_for("the interface is gone", lambda: name not in links(namespace))
    device.start()
    assert uapi.get(name)[-1] == ("errno", "0")
    assert end_process(device.process) == 0 and gone(device)
    device.may_end = True


@scenario
def ends_on_signals(bed, engines):
    """SIGTERM and SIGINT: status 0, socket and interface gone, also under traffic."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    ping = bed.process(pair.left.namespace.start("ping", "-n", "-q", "-f", "-c", "5000", "-W", "0.1", RIGHT4, stdout=-3))
    for side, number in ((pair.right, signal.SIGTERM), (pair.left, signal.SIGINT)):
        side.device.may_end = True
        begin = time.monotonic()
        status = side.device.stop(number)
        assert status == 0, f"status {status} after {number.name}"
        assert time.monotonic() - begin < 3, "took long to end"
        assert gone(side.device), f"something is left after {number.name}"
    ping.kill()


@scenario
def ends_when_its_socket_is_removed(bed, engines):
    """rm of the socket file: the engine ends and takes the interface with it."""
    device = bed.device(bed.namespace(), engines.engine)
    device.may_end = True
    os.unlink(device.path)
    wait_for("the engine ends", lambda: device.process.poll() is not None, 3)
    assert device.process.returncode == 0 and gone(device), device.process.returncode


@scenario
def ends_when_its_interface_is_removed(bed, engines):
    """ip link del: the engine ends and takes the socket with it; up, down, or moved away before."""
    for up in (False, True):
        device = bed.device(bed.namespace(), engines.engine)
        device.may_end = True
        if up:
            device.up("10.1.1.1/24")
        device.namespace.ip(f"link del {device.name}")
        wait_for("the engine ends", lambda d=device: d.process.poll() is not None, 5)
        assert device.process.returncode == 0 and gone(device), device.process.returncode


@scenario
def ends_when_the_namespace_of_its_interface_goes(bed, engines):
    """The interface was moved to a namespace that is deleted: the engine ends, nothing is left."""
    device, other = bed.device(bed.namespace(), engines.engine), bed.namespace()
    device.may_end = True
    device.namespace.ip(f"link set {device.name} netns {other.name}")
    device.up("10.1.1.1/24", namespace=other)
    run("ip", "netns", "del", other.name)
    wait_for("the engine ends", lambda: device.process.poll() is not None, 5)
    assert not os.path.exists(device.path)


def processes_of(name):
    """Ids of the processes that have this word in their command line: only engines of this bed do."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if name.encode() in file.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


@scenario
def background(bed, engines):
    """Without -f the parent returns 0 once the socket is there; the child ends on SIGTERM."""
    namespace, name = bed.namespace(), bed.unique("wk")
    command = fill_command(in_background(engines.engine), name)
    parent = namespace.start(*command, stdout=-3, stderr=-3)
    bed.stack.callback(lambda: [os.kill(pid, signal.SIGKILL) for pid in processes_of(name)])
    assert parent.wait(10) == 0
    assert os.path.exists(uapi.socket_path(name)), "the parent returned before the socket was there"
    assert uapi.get(name)[-1] == ("errno", "0") and name in links(namespace)
    children = processes_of(name)
    assert len(children) == 1, children
    with open(f"/proc/{children[0]}/stat", encoding="ascii") as file:
        session = file.read().rsplit(")", 1)[1].split()[3]
    assert os.getsid(0) != int(session) or engines.flavour == "wireguard-go", "the child kept the session"
    os.kill(children[0], signal.SIGTERM)
    wait_for("all is gone", lambda: not processes_of(name) and not os.path.exists(uapi.socket_path(name)), 5)
    assert name not in links(namespace)


@scenario(known={"wireguard-go": "its log ends with the terminal", "boringtun": "logs to a file of its own"})
def background_log(bed, engines):
    """In the background the log goes to syslog: what the tunnel says later is not lost."""
    folder = bed.stack.enter_context(tempfile.TemporaryDirectory())
    namespace, name = bed.namespace(), bed.unique("wk")
    log = bed.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    log.bind(os.path.join(folder, "log"))
    log.settimeout(10)
    os.mkdir(os.path.join(folder, "net"))
    # A /dev of its own, so that this machine's log is not asked.
    devices = ("null", "net/tun", "urandom")
    for device in devices:
        with open(os.path.join(folder, device), "w", encoding="ascii"):
            pass
    script = "".join(f"mount --bind /dev/{device} {folder}/{device} && " for device in devices)
    ran = namespace.run("unshare", "--mount", "sh", "-c", f'{script} mount --rbind {folder} /dev && exec "$@"', "sh",
                        "env", "LOG_LEVEL=verbose", *fill_command(in_background(engines.engine), name))
    assert ran.returncode == 0
    bed.stack.callback(lambda: [os.kill(pid, signal.SIGKILL) for pid in processes_of(name)])
    namespace.ip(f"link set {name} up")
    said = log.recv(4096).decode()
    while "up" not in said:
        said = log.recv(4096).decode()
    assert "wgkit-tunnel[" in said and f"{name}: up" in said, said


def open_tun(name, flags):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return tun


def with_tun_fd(flags):
    def test(bed, engines):
        pair = veth_pair(bed, engines.engine, engines.peer)
        pair.left.namespace.reach(RIGHT4)
        pair.left.device.may_end = True
        pair.left.device.stop()
        device = bed.device(pair.left.namespace, engines.engine, start=False)
        with pair.left.namespace.entered():
            tun = open_tun(device.name, flags)
        os.set_inheritable(tun, True)
        device.environment["WG_TUN_FD"] = str(tun)
        start = device.namespace.start
        device.namespace.start = lambda *argv, **options: start(*argv, pass_fds=(tun,), **options)
        device.start()
        os.close(tun)
        device.private, device.public = pair.left.device.private, pair.left.device.public
        device.set_key()
        device.peer(pair.right.public, "endpoint", "10.0.0.2:51820", "allowed-ips", f"{RIGHT4}/32,{RIGHT6}/128")
        device.up(f"{LEFT4}/24", f"{LEFT6}/64")
        device.namespace.reach(RIGHT4, 4)
        works(device.namespace, pair.right.namespace, ((LEFT4, RIGHT4),))
        device.may_end = True
        assert device.stop() == 0 and gone(device)
    return test


scenario(with_tun_fd(IFF_TUN | IFF_NO_PI), name="tun_fd",
         text="WG_TUN_FD: a TUN device that another program opened, without offloads",
         known={"wireguard-go": "Debian's expects a header that says the protocol (no IFF_NO_PI)"})
scenario(with_tun_fd(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR), name="tun_fd_with_offload_header",
         text="the same opened with IFF_VNET_HDR", known={"wireguard-go": "Debian's does not know that header"})


@scenario
def uapi_fd(bed, engines):
    """WG_UAPI_FD: a listening configuration socket that another program opened."""
    device = bed.device(bed.namespace(), engines.engine, start=False)
    os.makedirs(uapi.SOCKETS, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(device.path)
        os.chmod(device.path, 0o600)
        listener.listen(8)
        os.set_inheritable(listener.fileno(), True)
        device.environment["WG_UAPI_FD"] = str(listener.fileno())
        with open(device.log, "ab") as log:
            device.process = bed.process(device.namespace.start(
                *fill_command(device.command, device.name), stdout=log, stderr=log,
                env=device.environment, pass_fds=(listener.fileno(),)))
    device.set_key(make_keys()[0])
    assert dict(uapi.get(device.name))["private_key"] == uapi.hex_key(device.private)
    device.may_end = True
    assert device.stop() == 0
    assert device.name not in links(device.namespace)


@scenario(known={"wireguard-go": "writes log lines of debugging to standard output"})
def quiet_by_default(bed, engines):
    """LOG_LEVEL=silent and error: not a word in a life without errors; no secret at any level."""
    for level in ("silent", "error", "verbose"):
        device = bed.device(bed.namespace(), engines.engine, log=level)
        device.set_key()
        device.peer(make_keys()[1], "allowed-ips", "10.0.0.0/8", psk=make_keys()[0])
        device.up("10.1.1.1/24")
        device.may_end = True
        device.stop()
        said = device.log_tail(1000)
        assert level == "verbose" or not said, said
        assert device.private not in said and uapi.hex_key(device.private) not in said, "a key is in the log"


@scenario
def a_test_that_is_killed_leaves_nothing(bed, engines):
    """SIGTERM to a program that uses this bed: no namespace, no engine, no socket stays."""
    code = ("import sys, time\nfrom bed import Bed, end_on_signals\nend_on_signals()\nwith Bed() as bed:\n"
            "  d = bed.device(bed.namespace(), sys.argv[1])\n  print(d.name, d.namespace.name, d.process.pid, "
            "flush=True)\n  time.sleep(30)\n")
    with subprocess.Popen([sys.executable, "-c", code, engines.engine], stdout=subprocess.PIPE, text=True,
                          cwd=os.path.dirname(os.path.abspath(__file__)), preexec_fn=die_with_parent) as child:
        name, namespace, pid = child.stdout.readline().split()
        child.terminate()
        assert child.wait(10) == 128 + signal.SIGTERM
    assert not os.path.exists(uapi.socket_path(name)) and not os.path.exists(f"/run/netns/{namespace}")
    assert not os.path.exists(f"/proc/{pid}")


@scenario(known={"wireguard-go": "sets the interface down again and stays so"})
def a_taken_port_is_taken_later(bed, engines):
    """Up while another program has the port: works once the port is free; to set a taken port is refused."""
    namespace = bed.namespace()
    device = bed.device(namespace, engines.engine)
    device.set_key()
    with namespace.socket() as other:
        other.bind(("0.0.0.0", 51999))
        assert device.wg("listen-port", "51999", check=False).returncode != 0, "a taken port was accepted"
    device.wg("listen-port", "51999")
    with namespace.socket() as other:
        other.bind(("0.0.0.0", 51999))
        namespace.ip(f"link set {device.name} up")
        time.sleep(0.5)
    wait_for("the port is taken", lambda: 51999 in namespace.bound_ports(), 5)


@scenario(known={"wireguard-go": "ends"})
def a_log_that_nobody_reads(bed, engines):
    """Standard error is a closed pipe: the tunnel goes on."""
    namespace = bed.namespace()
    name = bed.unique("wk")
    process = bed.process(namespace.start(*fill_command(engines.engine, name), stderr=subprocess.PIPE,
                                          env=os.environ | {"LOG_LEVEL": "verbose"}))
    path = os.path.join(uapi.SOCKETS, name + ".sock")
    wait_for("the socket", lambda: os.path.exists(path))
    process.stderr.close()
    for state in ("up", "down", "up"):
        namespace.ip(f"link set {name} {state}")
        time.sleep(0.1)
    assert process.poll() is None and os.path.exists(path), "it ended"


if __name__ == "__main__":
    main(__doc__)
