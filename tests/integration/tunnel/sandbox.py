#!/usr/bin/python3
"""sandbox.py UNIT NAME: runs what the unit's ExecStart says for the instance NAME within the limits that
the unit sets, as systemd would: capabilities, system calls and their arguments, a read-only file system,
limits of resources. Left out is what needs systemd itself (DeviceAllow) or hides more (Protect...).
"""
import contextlib
import ctypes
import glob
import os
import platform
import re
import resource
import shlex
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from tools import missing, need  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x00020000
ANY_NEW_NAMESPACE = 0x7E020080
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38
SECCOMP_MODE_FILTER = 2
AUDIT_ARCH = {"x86_64": 0xC000003E}
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
EPERM, EAFNOSUPPORT = 1, 97
PROT_WRITE, PROT_EXEC = 2, 4
# linux/capability.h
CAPABILITIES = {"CAP_NET_BIND_SERVICE": 10, "CAP_NET_BROADCAST": 11, "CAP_NET_ADMIN": 12, "CAP_IPC_LOCK": 14}


def settings(path):
    """{key: values} of the section [Service]."""
    found, section = {}, ""
    with open(path, encoding="utf-8") as file:
        for line in map(str.strip, file):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and line and not line.startswith("#"):
                key, value = line.split("=", 1)
                found.setdefault(key, []).append(value)
    return found


def must(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def system_calls(group):
    """The names in one of systemd's groups."""
    names = set()
    listing = subprocess.run([need("systemd-analyze", "systemd"), "syscall-filter", group], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    for word in (line.strip() for line in listing.splitlines()[1:]):
        names |= system_calls(word) if word.startswith("@") else {word}
    return {name for name in names if re.fullmatch(r"\w+", name)}


def allowed_calls(filters):
    names = set()
    for words in filters:
        for word in words.lstrip("~").split():
            group = system_calls(word) if word.startswith("@") else {word}
            names = names - group if words.startswith("~") else names | group
    return names


def numbers():
    headers = glob.glob("/usr/include/*/asm/unistd_64.h")
    if platform.machine() not in AUDIT_ARCH or not headers:
        missing("the numbers of x86-64's system calls", "linux-libc-dev")
    with open(headers[0], encoding="ascii") as file:
        return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", file.read())}


def seccomp_program(limits):
    """Classic BPF (seccomp(2)); every check ends in a verdict, so that no jump is long."""
    number = numbers()
    program = []

    def op(code, operand, yes=0, no=0):
        program.append(struct.pack("=HBBI", code, yes, no, operand))

    def load(offset):
        op(0x20, offset)

    def verdict(value):
        op(0x06, value)

    def only_for(name, checks):
        """`checks` adds instructions that end in a verdict, for one system call."""
        start = len(program)
        op(0, 0)  # the jump, once its length is known
        checks()
        program[start] = struct.pack("=HBBI", 0x15, 0, len(program) - start - 1, number[name])

    def refuse_flags(offset, flags, all_of_them=False):
        def checks():
            load(offset)
            op(0x54, flags)
            op(0x15, flags if all_of_them else 0, *((0, 1) if all_of_them else (1, 0)))
            verdict(REFUSE | EPERM)
            verdict(ALLOW)
        return checks

    def families():
        load(16)
        for name in limits["RestrictAddressFamilies"][0].split():
            op(0x15, getattr(socket, name), 0, 1)
            verdict(ALLOW)
        verdict(REFUSE | EAFNOSUPPORT)

    load(4)
    op(0x15, AUDIT_ARCH[platform.machine()], 1, 0)
    verdict(REFUSE | EPERM)
    load(0)
    names = allowed_calls(limits["SystemCallFilter"])
    only_for("socket", families)
    if limits.get("MemoryDenyWriteExecute") == ["yes"]:
        only_for("mmap", refuse_flags(32, PROT_WRITE | PROT_EXEC, True))
        only_for("mprotect", refuse_flags(32, PROT_EXEC))
        only_for("pkey_mprotect", refuse_flags(32, PROT_EXEC))
    if limits.get("RestrictNamespaces") == ["yes"]:
        only_for("clone", refuse_flags(16, ANY_NEW_NAMESPACE))
        names -= {"unshare", "setns"}
    for one in sorted(names & set(number)):
        op(0x15, number[one], 0, 1)
        verdict(ALLOW)
    verdict(REFUSE | EPERM)
    return b"".join(program)


def read_only_but(folder):
    os.makedirs(folder, exist_ok=True)
    must(LIBC.unshare(CLONE_NEWNS))
    must(LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    must(LIBC.mount(folder.encode(), folder.encode(), None, MS_BIND, None))
    must(LIBC.mount(None, b"/", None, MS_REMOUNT | MS_BIND | MS_RDONLY, None))


def main():
    unit, name = sys.argv[1:]
    limits = settings(unit)
    argv = shlex.split(limits["ExecStart"][0].replace("%i", name))
    program = seccomp_program(limits)
    for limit, number in (("LimitMEMLOCK", resource.RLIMIT_MEMLOCK), ("LimitCORE", resource.RLIMIT_CORE)):
        if limit not in limits:
            continue
        value = resource.RLIM_INFINITY if limits[limit] == ["infinity"] else int(limits[limit][0])
        with contextlib.suppress(ValueError):  # a container may not raise it
            resource.setrlimit(number, (value, value))
    os.umask(int(limits["UMask"][0], 8))
    read_only_but("/run/" + limits.get("RuntimeDirectory", ["wgkit-sandbox"])[0])
    kept = {CAPABILITIES[word] for word in limits["CapabilityBoundingSet"][0].split()}
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    for capability in set(range(last + 1)) - kept:
        must(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0))
    must(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    filters = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(filters))
    must(LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0))
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main()
