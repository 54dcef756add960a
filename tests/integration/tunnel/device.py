"""One engine with its interface, started by a command line and configured through the real wg."""
import os
import shlex
import signal
import subprocess

from bed import end_process, run, wait_for
from uapi import SOCKETS, socket_path

BOOT = 0.02  # seconds between looks for the socket


def make_keys():
    """(private, public) in base64."""
    private = run("wg", "genkey").stdout.strip()
    return private, public_key(private)


def public_key(private):
    return run("wg", "pubkey", input=private + "\n").stdout.strip()


def make_psk():
    return run("wg", "genpsk").stdout.strip()


def fill_command(command, name):
    """The arguments with the interface's name in place of {} or at the end."""
    words = shlex.split(command)
    return [word.replace("{}", name) for word in words] if "{}" in command else [*words, name]


class Device:
    def __init__(self, bed, namespace, command, name=None, keys=None, start=True, log="verbose", **environment):
        self.bed, self.namespace, self.command = bed, namespace, command
        self.name = name or bed.unique("wk")
        self.program = os.path.basename(shlex.split(command)[0])
        self.private, self.public = keys or make_keys()
        self.log = os.path.join(bed.folder, self.name + ".log")
        self.environment = dict(os.environ, **environment)
        if log:
            self.environment["LOG_LEVEL"] = log
        self.process = None
        self.may_end = False  # a scenario that ends it on purpose says so
        bed.devices.append(self)
        if start:
            self.start()

    def start(self):
        os.makedirs(SOCKETS, 0o755, exist_ok=True)
        self.bed.stack.callback(self._remove_socket)  # after its end, if it was killed
        with open(self.log, "ab") as log:
            self.process = self.bed.process(self.namespace.start(
                *fill_command(self.command, self.name), stdout=log, stderr=subprocess.STDOUT,
                env=self.environment))
        wait_for(f"{self.program} opens {self.path}", self._is_there, seconds=30.0, pause=BOOT)

    def _remove_socket(self):
        if os.path.exists(self.path):
            os.unlink(self.path)

    def _is_there(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command} ended at its start with status "
                                 f"{self.process.returncode}:\n{self.log_tail()}")
        return os.path.exists(self.path) and run("wg", "show", self.name, check=False).returncode == 0

    @property
    def path(self):
        return socket_path(self.name)

    def stop(self, how=signal.SIGTERM):
        """The exit status."""
        self.process.send_signal(how)
        return end_process(self.process)

    # Configuration

    def wg(self, *words, check=True, secret=None):
        """wg set DEVICE WORDS; `secret` is what /dev/stdin stands for."""
        return run("wg", "set", self.name, *words, check=check,
                   input=None if secret is None else secret + "\n")

    def set_key(self, private=None):
        if private:
            self.private, self.public = private, public_key(private)
        self.wg("private-key", "/dev/stdin", secret=self.private)

    def peer(self, public, *words, psk=None):
        extra = ["preshared-key", "/dev/stdin"] if psk else []
        self.wg("peer", public, *words, *extra, secret=psk)

    def setconf(self, text, timeout=60):
        path = os.path.join(self.bed.folder, self.name + ".conf")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        run("wg", "setconf", self.name, path, timeout=timeout)

    def show(self, what):
        """The lines of `wg show DEVICE WHAT`, each split at tabs."""
        return [line.split("\t") for line in run("wg", "show", self.name, what).stdout.splitlines()]

    def value(self, what, public=None):
        """One peer's columns behind its key; of the only peer if none is given."""
        rows = {row[0]: row[1:] for row in self.show(what)}
        return rows[public] if public else next(iter(rows.values()))

    def endpoint(self, public=None):
        return self.value("endpoints", public)[0]

    def transfer(self, public=None):
        """(bytes received, bytes sent)"""
        received, sent = self.value("transfer", public)
        return int(received), int(sent)

    def handshake(self, public=None):
        """Seconds since 1970 of the last handshake, 0 for never."""
        return int(self.value("latest-handshakes", public)[0])

    # Interface and process

    def up(self, *addresses, mtu=None, namespace=None):
        namespace = namespace or self.namespace
        namespace.ip(*(f"addr add {address} dev {self.name}" for address in addresses),
                     f"link set {self.name}" + (f" mtu {mtu}" if mtu else "") + " up")

    def rss(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1])

    def is_alive(self):
        return self.process.poll() is None

    def log_tail(self, lines=6):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except FileNotFoundError:
            return ""
