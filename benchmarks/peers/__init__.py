"""The servers that are measured, ours first."""

from benchmarks.peers.copyparty import Copyparty
from benchmarks.peers.nginx import Nginx
from benchmarks.peers.ours import Ours, OursNormal
from benchmarks.peers.peer import Frame, Listing, Peer
from benchmarks.peers.plain import Plain

PEERS: tuple[type[Peer], ...] = (Ours, OursNormal, Copyparty, Nginx, Plain)

__all__ = ["PEERS", "Frame", "Listing", "Ours", "OursNormal", "Peer"]
