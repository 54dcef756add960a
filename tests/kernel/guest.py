"""Runs a shell script in a virtual machine with Debian's kernel, which has WireGuard.

Build machines often have no WireGuard link type, so what needs the real one runs here: a kernel that
scripts/bootstrap unpacked, an initramfs made from this machine's own programs, QEMU without KVM
(the same on every machine). A boot takes about three seconds.

    output = Guest(programs=["ip", "wg"], modules=["wireguard"]).run("ip link add wg0 type wireguard")

The script runs under `sh -e` as process 1's child; what it prints comes back as text. The guest has
no disk and no network card. `section NAME COMMAND...` in the script marks output, and
`sections(output)` takes it apart again.
"""
import glob
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from tools import UNPACKED as TOOLS, missing, need as find_program  # noqa: E402, F401


class Tree:
    """The files of a machine under construction: `file`, `link` and `has` are what they are written to."""

    def copy(self, source, path=None):
        with open(source, "rb") as file:
            self.file(path or source, file.read(), os.stat(source).st_mode & 0o777)

    def program(self, source, path=None):
        """With the libraries it needs; those of an unpacked package come from that package."""
        self.copy(source, path)
        folder = os.path.realpath(source)
        environment = dict(os.environ)
        if folder.startswith(TOOLS + "/"):
            package = "/".join(folder.split("/")[:len(TOOLS.split("/")) + 1])
            environment["LD_LIBRARY_PATH"] = ":".join(
                sorted({os.path.dirname(x) for x in glob.glob(f"{package}/**/*.so*", recursive=True)}))
        listing = subprocess.run(["ldd", source], env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True, check=False).stdout
        for library in re.findall(r"(?:=> |^\s+)(/\S+)", listing, re.M):
            inside = library[library.index("/", len(TOOLS) + 1):] if library.startswith(
                TOOLS) else library
            if not self.has(inside):
                self.copy(library, inside)


class Initramfs(Tree):
    """A cpio archive ("newc", see the kernel's early userspace documentation)."""

    def __init__(self):
        self.entries = {}

    def has(self, path):
        return path.strip("/") in self.entries

    def folder(self, path):
        path = path.strip("/")
        if path and path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = (stat.S_IFDIR | 0o755, b"", 0)

    def file(self, path, data, mode=0o644, gid=0):
        self.folder(os.path.dirname(path))
        self.entries[path.strip("/")] = (stat.S_IFREG | mode, data, gid)

    def link(self, path, target):
        self.folder(os.path.dirname(path))
        self.entries[path.strip("/")] = (stat.S_IFLNK | 0o777, target.encode(), 0)

    def pack(self):
        out = []
        for number, (path, (mode, data, gid)) in enumerate(
                [*self.entries.items(), ("TRAILER!!!", (0, b"", 0))]):
            name = path.encode() + b"\0"
            fields = (number, mode, 0, gid, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
            out.append(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
            out.append(b"\0" * (-(110 + len(name)) % 4) + data + b"\0" * (-len(data) % 4))
        return b"".join(out)


def boot(initramfs, seconds, options="", drive=None, memory=512):
    """What the machine printed on its second serial port between its start and "job ended". Fails loudly
    if that was not with status 0, or took too long."""
    qemu = find_program("qemu-system-x86_64", "qemu-system-x86")
    kernel, _ = kernel_and_modules()
    with tempfile.TemporaryDirectory() as folder:
        image, output = os.path.join(folder, "initramfs"), os.path.join(folder, "output")
        with open(image, "wb") as file:
            file.write(initramfs.pack())
        command = [
            qemu, "-accel", "tcg", "-cpu", "max", "-m", str(memory), "-nographic", "-no-reboot",
            "-nodefaults", "-serial", "stdio", "-serial", f"file:{output}",
            "-kernel", kernel, "-initrd", image, "-append",
            "console=ttyS0 quiet loglevel=4 panic=-1 cryptomgr.notests random.trust_cpu=on mitigations=off " + options]
        if drive:
            command += ["-drive", f"file={drive},format=raw,if=virtio,cache=unsafe"]
        try:
            console = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, timeout=seconds, check=False,
                                     text=True, errors="replace").stdout
            late = ""
        except subprocess.TimeoutExpired as error:
            console = (error.stdout or b"").decode(errors="replace")
            late = f"the guest took more than {seconds} seconds\n"
        with open(output, encoding="utf-8", errors="replace") as file:
            text = file.read().replace("\r\n", "\n")
    end = re.search(r"@@@ job ended: (\d+)\n\Z", text)
    if not end or end.group(1) != "0":
        raise AssertionError(f"{late}the guest failed\n--- console\n{console}\n--- job\n{text}")
    return text[:end.start()]


def kernel_and_modules():
    """(path of the kernel, {name of a module: its file})."""
    package = "linux-image-cloud-amd64"
    kernels = sorted(glob.glob(f"{TOOLS}/{package}/boot/vmlinuz-*"))
    if not kernels:
        missing("a kernel in build/tools", package)
    release = os.path.basename(kernels[-1]).split("-", 1)[1]
    files = glob.glob(f"{TOOLS}/{package}/**/modules/{release}/**/*.ko", recursive=True)
    return kernels[-1], {os.path.basename(f)[:-3].replace("-", "_"): f for f in files}


class Guest:
    """Programs by name or absolute path; modules by name, loaded with what they depend on."""

    BASE = ("sh", "mount", "insmod", "cat", "mkdir", "ln", "sleep", "ip")

    def __init__(self, programs=(), modules=("wireguard",), init="init", base=BASE):
        _, module_files = kernel_and_modules()
        self.initramfs = Initramfs()
        for folder in ("proc", "sys", "dev", "run", "tmp", "var/run", "var/lib"):
            self.initramfs.folder(folder)
        self.initramfs.file("init", open(os.path.join(HERE, init), "rb").read(), 0o755)
        for name in dict.fromkeys([*base, *programs]):
            path = find_program(name, PACKAGES.get(name, name))
            inside = name if name.startswith("/") else "/bin/" + name
            self.initramfs.program(path, inside)
        order = []
        for name in modules:
            self._with_dependencies(name, module_files, order)
        for name in order:
            self.initramfs.copy(module_files[name], f"modules/{name}.ko")
        self.initramfs.file("modules/order", "".join(f"{name}\n" for name in order).encode())

    @classmethod
    def _with_dependencies(cls, name, files, order):
        if name in order or name not in files:  # not there: built into the kernel
            return
        with open(files[name], "rb") as file:
            depends = re.search(rb"depends=([^\0]*)\0", file.read())
        for one in depends.group(1).decode().split(",") if depends else []:
            cls._with_dependencies(one.replace("-", "_"), files, order)
        order.append(name)

    def run(self, script, seconds=60):
        """What the script printed."""
        self.initramfs.file("job", script.encode(), 0o755)
        return boot(self.initramfs, seconds)


def sections(output):
    """{name: text} of what `section NAME COMMAND` printed in the guest."""
    parts = re.split(r"^@@@ section (.*)\n", output, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


PACKAGES = {name: package for package, names in {
    "coreutils": "cat chmod cp cut head id ln mkdir mv nice rm sleep sort stat tail test touch tr true wc",
    "util-linux": "nsenter setpriv switch_root unshare", "procps": "kill sysctl", "mount": "mount umount",
    "diffutils": "cmp diff", "wireguard-tools": "wg wg-quick", "dash": "sh", "kmod": "insmod", "iproute2": "ip",
    "nftables": "nft", "iputils-ping": "ping", "openssh-client": "ssh ssh-keygen", "openssh-server": "/usr/sbin/sshd",
    "etcd-server": "etcd", "systemd": "/lib/systemd/systemd-networkd"}.items() for name in names.split()}
