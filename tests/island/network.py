"""The island's addresses, who listens on them, and who counts what comes."""

import fcntl
import ipaddress
import selectors
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final, Self

# Ordinary addresses of the Internet, so that the rules let them pass; here they are ours.
WEB: Final = "93.184.215.14"
NAMES: Final = "93.184.215.53"
API: Final = "93.184.215.80"

#: Where nobody may come: an address for each kind of network that a server of ours may stand in.
INSIDE: Final = (
    "127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.0.5", "192.168.0.5", "169.254.169.254", "100.64.0.5",
    "::1", "fd00::5",
)  # fmt: skip
PORTS: Final = (22, 80, 443, 5432, 6379, 8000, 8080, 8443)
#: Where nobody goes but ourselves, to see that the counters count.
PROOF: Final = 2222

_UP: Final = 0x1
_SYN, _ACK = 0x02, 0x10
_SET_FLAGS, _SET_ADDRESS, _SET_MASK = 0x8914, 0x8916, 0x891C


def settle(folder: Path) -> None:
    """Bring the island's only link up, give it the addresses, and make our server the one that knows names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))
        four = [a for a in (WEB, NAMES, API, *INSIDE) if ":" not in a and not a.startswith("127.")]
        for number, address in enumerate(four):
            for request, value in ((_SET_ADDRESS, address), (_SET_MASK, "255.255.255.255")):
                name = f"lo:{number}".encode()
                place = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
                fcntl.ioctl(control, request, struct.pack("16s16s8x", name, place))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        index = socket.if_nametoindex("lo")
        place = struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, "fd00::5"), 128, index)
        fcntl.ioctl(control, _SET_ADDRESS, place)
    for file, text in (
        ("resolv.conf", f"nameserver {NAMES}\noptions timeout:1 attempts:1\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
    ):
        (folder / file).write_text(text)
        if Path(f"/etc/{file}").exists():
            subprocess.run(["mount", "--bind", folder / file, f"/etc/{file}"], check=True)


class Shore:
    """Counts who comes inside, by address and port: at the listeners, and whoever only tries, at any port at all."""

    def __init__(self) -> None:
        self.connections: Counter[str] = Counter()
        self.tries: Counter[str] = Counter()
        self._closing = threading.Event()
        self._selector = selectors.DefaultSelector()
        for address in INSIDE:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for port in (*PORTS, PROOF):
                listener = socket.create_server((address, port), family=family)
                self._selector.register(listener, selectors.EVENT_READ, f"{address} {port}")
        # Every packet of the island is seen here, whether or not anybody listens where it goes.
        self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
        self._wire.settimeout(0.05)
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._accept, self._sniff)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(2)

    def _accept(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(0.05):
                listener = key.fileobj
                assert isinstance(listener, socket.socket)
                listener.accept()[0].close()
                self.connections[key.data] += 1

    def _sniff(self) -> None:
        while not self._closing.is_set():
            try:
                packet, (_, _, kind, *_rest) = self._wire.recvfrom(128)
            except TimeoutError:
                continue
            if kind == socket.PACKET_OUTGOING and (to := _destination(packet)) is not None:
                self.tries[to] += 1


def counted(shore: Shore) -> dict[str, object]:
    """Who came inside, counted after we came ourselves: so nobody who came before is still to be counted."""
    own = {f"{address} {PROOF}" for address in INSIDE}
    for address in INSIDE:
        socket.create_connection((address, PROOF), timeout=5).close()
    end = time.monotonic() + 20
    while not (own <= shore.connections.keys() and own <= shore.tries.keys()) and time.monotonic() < end:
        time.sleep(0.02)
    return {
        "connections": {place: count for place, count in shore.connections.items() if place not in own},
        "tries": {place: count for place, count in shore.tries.items() if place not in own},
        "counts": own <= shore.connections.keys() and own <= shore.tries.keys(),
    }


def _destination(packet: bytes) -> str | None:
    """Where a connection by TCP or a datagram by UDP is going, if that is inside."""
    is_four = packet[0] >> 4 == 4
    protocol, head = (packet[9], (packet[0] & 15) * 4) if is_four else (packet[6], 40)
    if protocol not in {socket.IPPROTO_TCP, socket.IPPROTO_UDP}:
        return None
    if protocol == socket.IPPROTO_TCP and packet[head + 13] & (_SYN | _ACK) != _SYN:
        return None
    address = ipaddress.ip_address(packet[16:20] if is_four else packet[24:40])
    port = int.from_bytes(packet[head + 2 : head + 4])
    return None if str(address) in {WEB, NAMES, API} else f"{address} {port}"


class Names:
    """The name server. What it does not know is the web server's; `turns` gives another answer to each question."""

    def __init__(self) -> None:
        self.turns: dict[str, list[list[str]]] = {}
        self.asked: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((NAMES, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, sender = self._socket.recvfrom(512)
            self._socket.sendto(self._answer(question), sender)

    def _answer(self, question: bytes) -> bytes:
        labels, at = [], 12
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += 1 + length
        name, kind = ".".join(labels).lower(), int.from_bytes(question[at + 1 : at + 3])
        records = [a for a in self._addresses(name, kind) if (":" in a) == (kind == 28)]
        body = question[12 : at + 5]
        for address in records:
            packed = ipaddress.ip_address(address).packed
            # A pointer to the name, the kind, IN, no time to live: nobody keeps it.
            body += struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(packed)) + packed
        return question[:2] + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0) + body

    def _addresses(self, name: str, kind: int) -> list[str]:
        """The addresses of this question; both kinds of one question get the same turn."""
        turns = self.turns.get(name, [[WEB]])
        turn = self.asked[f"{name} {kind}"]
        self.asked[f"{name} {kind}"] += 1
        return turns[min(turn, len(turns) - 1)]
