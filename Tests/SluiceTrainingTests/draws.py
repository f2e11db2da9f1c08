"""The draws of training, as `SeededGenerator` and XXH64 define them: a second implementation for the goldens."""

import math

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Draws:
    DROPOUT, INITIAL_STATE = 4, 5

    def __init__(self, state):
        self.state = state

    @staticmethod
    def keyed(seed, stream):
        return Draws(mix(mix(seed) ^ mix(stream << 48)))

    def forked(self, key):
        return Draws(mix(self.state ^ mix((key + GAMMA) & MASK)))

    def next(self):
        self.state = (self.state + GAMMA) & MASK
        return mix(self.state)

    def fraction(self):
        return (self.next() >> 11) * 2**-53

    def uniform(self):
        """In [-1, 1)."""
        return (self.next() >> 40) * 2**-23 - 1

    def normal(self):
        while True:
            u, v = self.uniform(), self.uniform()
            square = u * u + v * v
            if 0 < square < 1:
                return u * math.sqrt(-2 * math.log(square) / square)


def xxh64(data):
    """Of fewer than 32 bytes, seed 0."""
    p1, p2, p3, p4, p5 = (
        0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
    rotated = lambda x, r: ((x << r) | (x >> (64 - r))) & MASK
    h = (p5 + len(data)) & MASK
    while len(data) >= 8:
        lane = rotated(int.from_bytes(data[:8], "little") * p2 & MASK, 31) * p1 & MASK
        h = (rotated(h ^ lane, 27) * p1 + p4) & MASK
        data = data[8:]
    if len(data) >= 4:
        h = (rotated(h ^ (int.from_bytes(data[:4], "little") * p1 & MASK), 23) * p2 + p3) & MASK
        data = data[4:]
    for byte in data:
        h = rotated(h ^ (byte * p5 & MASK), 11) * p1 & MASK
    h = (h ^ (h >> 33)) * p2 & MASK
    h = (h ^ (h >> 29)) * p3 & MASK
    return h ^ (h >> 32)
