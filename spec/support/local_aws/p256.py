"""
ECDSA on P-256, in the textbook's affine form: slow, plain, for test keys only.
"""

import base64
import hashlib
import secrets

P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)

# SEC 1's ECPrivateKey in DER, around the key and the public point
DER = (bytes.fromhex("30770201010420"),
       bytes.fromhex("a00a06082a8648ce3d030107a14403420004"))


def on_curve(point):
    x, y = point
    return (0 <= x < P and 0 <= y < P
            and (y * y - x * x * x + 3 * x - B) % P == 0)


def add(one, two):
    """The sum of two points; None is the point at infinity."""
    if one is None or two is None:
        return one or two
    if one[0] == two[0]:
        if (one[1] + two[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, P) % P
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiply(number, point):
    total = None
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def verify(point, message, signature):
    """Whether 64 bytes, r then s, are this key's signature of a message."""
    if len(signature) != 64 or not on_curve(point):
        return False
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, N)
    found = add(multiply(digest * inverse % N, G),
                multiply(r * inverse % N, point))
    return found is not None and found[0] % N == r


def generate():
    """(public point, private key in PEM)"""
    private = secrets.randbelow(N - 1) + 1
    point = multiply(private, G)
    text = base64.b64encode(
        DER[0] + private.to_bytes(32, "big") + DER[1]
        + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")
    ).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return point, "-----BEGIN EC PRIVATE KEY-----\n%s\n-----END EC PRIVATE" \
                  " KEY-----\n" % "\n".join(lines)
