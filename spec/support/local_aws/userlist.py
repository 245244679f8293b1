"""
A USER_ID list, read from disk and counted.

One column, an exact header, ids of 1 to 256 characters in UTF-8, quoted as
in RFC 4180. Lists of 100 MB are read in a few seconds and little memory:
plain chunks are split and checked whole, and beyond a million and a half ids
they are spread over files by hash, which are then counted one by one.
"""

import mmap
import re
import tempfile
from itertools import islice

SIZE_MAX = 100 * 1000 * 1000
ID_MAX = 256
READ_SIZE = 64 * 1024
LINE_MAX = 4 * ID_MAX + 2
HELD_MAX = 100 * 1000
PARTS = 256
PART_BUFFER = 64 * 1024
BATCH = 5000

QUOTED_ROW = re.compile(
    rb'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]+))(?:\r\n|\n|\Z)')
TOO_LONG = "a USER_ID has more than %d characters" % ID_MAX


class ListFault(Exception):
    """Why a list cannot be used; the text becomes the failureReason."""


class Distinct:
    """Counts distinct ids without holding more than HELD_MAX of them."""

    def __init__(self, users):
        self.users = users
        self.seen = set()
        self.files = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in self.files or ():
            file.close()

    def add(self, ids):
        if self.users is not None:
            self.seen |= self.users.intersection(ids)
        elif self.files:
            self.scatter(ids)
        else:
            self.seen.update(ids)
            if len(self.seen) > HELD_MAX:
                self.files = [tempfile.TemporaryFile(buffering=PART_BUFFER)
                              for _ in range(PARTS)]
                seen, self.seen = self.seen, set()
                self.scatter(seen)

    def scatter(self, ids):
        parts = [[] for _ in range(PARTS)]
        put = [part.append for part in parts]
        for id_ in ids:
            put[hash(id_) % PARTS](id_)
        for file, part in zip(self.files, parts):
            part.append(b"")        # so that a line end closes the last
            file.write(b"\n".join(part))

    def count(self):
        if not self.files:
            return len(self.seen)
        total = 0
        for file in self.files:
            file.seek(0)
            total += len(set(file.read().split(b"\n")) - {b""})
        return total


def fault(name, line, what):
    return ListFault("%s, line %d: %s" % (name, line, what))


def check_long(name, line, ids):
    """Ids of more than 256 bytes may still have 256 characters."""
    for i, id_ in enumerate(ids):
        if len(id_) > ID_MAX and len(id_.decode("utf-8")) > ID_MAX:
            raise fault(name, line + i, TOO_LONG)


def plain_ids(name, line, chunk):
    """The ids of whole lines in which nothing is quoted."""
    if b"\r" in chunk:
        chunk = chunk.replace(b"\r\n", b"\n")
    ids = chunk.split(b"\n")
    if not ids[-1]:
        ids.pop()
    for byte, what in ((b",", "there is more than one column"),
                       (b"\0", "a NUL"), (b"\r", "a stray CR")):
        if byte in chunk:
            at = line + chunk[:chunk.index(byte)].count(b"\n")
            raise fault(name, at, what)
    if b"" in ids:
        raise fault(name, line + ids.index(b""), "the USER_ID is empty")
    if not chunk.isascii():
        try:
            chunk.decode("utf-8")
        except UnicodeDecodeError as error:
            at = line + chunk[:error.start].count(b"\n")
            raise fault(name, at, "this is not UTF-8") from None
    if max(map(len, ids), default=0) > ID_MAX:
        check_long(name, line, ids)
    return ids


def quoted_ids(name, line, file, offset):
    """Yields the ids from offset on, row by row, quoted or not."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        size, scanner = len(data), QUOTED_ROW.scanner(data, offset)
        try:
            while offset < size:
                batch = []
                for row in islice(iter(scanner.match, None), BATCH):
                    quoted, id_ = row.groups()
                    batch.append(id_ if quoted is None
                                 else quoted.replace(b'""', b'"'))
                    offset = row.end()
                line = check_batch(name, line, batch)
                if len(batch) < BATCH and offset < size:
                    raise fault(name, line, "this is no row of one USER_ID")
                # NUL cannot be in an id, so it may stand for LF in here.
                yield [id_.replace(b"\n", b"\0") for id_ in batch]
        finally:
            scanner = row = None    # they hold on to the map


def check_batch(name, line, batch):
    """Checks ids one by one only where they are not plainly right."""
    text = b"".join(batch)
    plain = (text.isascii() and b"\0" not in text and b"" not in batch
             and max(map(len, batch), default=0) <= ID_MAX)
    if plain:
        return line + len(batch) + text.count(b"\n")
    for id_ in batch:
        what = id_fault(id_)
        if what:
            raise fault(name, line, what)
        line += 1 + id_.count(b"\n")
    return line


def id_fault(id_):
    """What is wrong with one id, or None."""
    if not id_:
        return "the USER_ID is empty"
    if b"\0" in id_:
        return "a NUL"
    if len(id_) > ID_MAX or not id_.isascii():
        try:
            if len(id_.decode("utf-8")) > ID_MAX:
                return TOO_LONG
        except UnicodeDecodeError:
            return "this is not UTF-8"
    return None


def batches(name, file):
    """Yields lists of ids, checked; ListFault where the list is none."""
    rest = file.readline(64)
    if rest.rstrip(b"\r\n") != b"USER_ID" or not rest.endswith(b"\n"):
        raise ListFault("%s: the header has to be USER_ID and nothing else"
                        % name if rest else "%s is empty" % name)
    line, rest, offset = 2, b"", len(rest)
    while True:
        data = file.read(READ_SIZE)
        chunk = rest + data
        end = chunk.rfind(b"\n") + 1 if data else len(chunk)
        rest, chunk = chunk[end:], chunk[:end]
        if b'"' in chunk or b'"' in rest:
            yield from quoted_ids(name, line, file, offset)
            return
        if len(rest) > LINE_MAX:
            raise fault(name, line + chunk.count(b"\n"), TOO_LONG)
        ids = plain_ids(name, line, chunk) if chunk else []
        line += len(ids)
        offset += end
        if ids:
            yield ids
        if not data:
            return


def count(files, users=None):
    """How many distinct ids [(name, path, size)] hold (of `users` alone)."""
    if not files:
        raise ListFault("there is no .csv file at this location")
    if sum(size for _, _, size in files) > SIZE_MAX:
        raise ListFault("the input is larger than 100 MB")
    with Distinct(users) as distinct:
        for name, path, _ in files:
            empty = True
            with open(path, "rb") as file:
                for ids in batches(name, file):
                    empty = empty and not ids
                    distinct.add(ids)
            if empty:
                raise ListFault("%s holds no USER_ID" % name)
        return distinct.count()
