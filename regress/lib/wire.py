"""A wire between two network name spaces of our own, on which packets are
lost when the test wants it: no name space or interface of the machine's is
touched, and nothing of it is left when the process ends."""

import ctypes
import fcntl
import os
import queue
import random
import select
import socket
import struct
import subprocess
import threading

NEWNET = 0x40000000             # CLONE_NEWNET
NEAR = '10.99.0.1'

libc = ctypes.CDLL(None, use_errno=True)


def apart():
    """Go on in a name space without a network but its own; main thread."""
    if libc.unshare(NEWNET) == -1:
        raise OSError(ctypes.get_errno(), 'unshare')
    ip('link', 'set', 'lo', 'up')


def ip(*words):
    subprocess.run(['ip'] + list(words), check=True)


def tun(name, address):
    """An interface whose packets are ours, in the caller's name space."""
    fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    # TUNSETIFF, IFF_TUN | IFF_NO_PI
    fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', name.encode(), 0x1001))
    ip('addr', 'add', address + '/24', 'dev', name)
    ip('link', 'set', name, 'up')
    return fd


class Wire:
    """Packets go from one side to the other, or are lost."""

    def __init__(self):
        self.loss = 0.0
        self.silent = False
        self.passed = self.lost = 0
        self.dice = random.Random(19)
        self.orders = queue.Queue()
        self.far_address = '10.99.0.2'
        self.near_fd = tun('near', NEAR)
        self.far = threading.Thread(target=self._far, daemon=True)
        self.far.start()
        self.far_fd = self.over_there(lambda: tun('far', self.far_address))
        threading.Thread(target=self._carry, daemon=True).start()

    def _far(self):
        """The thread that lives at the other end."""
        if libc.unshare(NEWNET) == -1:
            os._exit(1)
        while True:
            fn, answer = self.orders.get()
            try:
                answer.put((fn(), None))
            except Exception as e:
                answer.put((None, e))

    def over_there(self, fn):
        """What the function returns when it is called at the other end."""
        answer = queue.Queue()
        self.orders.put((fn, answer))
        value, error = answer.get()
        if error is not None:
            raise error
        return value

    def _carry(self):
        other = {self.near_fd: self.far_fd, self.far_fd: self.near_fd}
        while True:
            for fd in select.select(list(other), [], [])[0]:
                try:
                    packet = os.read(fd, 65536)
                    if self.silent or self.dice.random() < self.loss:
                        self.lost += 1
                        continue
                    self.passed += 1
                    os.write(other[fd], packet)
                except OSError:
                    continue            # nothing there, or no room: lost

    def connect(self, port, bound):
        return self.over_there(lambda: socket.create_connection(
            (NEAR, port), bound, (self.far_address, 0)))

    def move(self, address):
        """The far end has another address from now on."""
        def change():
            ip('addr', 'flush', 'dev', 'far')
            ip('addr', 'add', address + '/24', 'dev', 'far')
        self.over_there(change)
        self.far_address = address
