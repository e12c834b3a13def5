#!/usr/bin/python3
"""Holds every source file against rooms.txt: who may include whom, and how long a file may be.

    check.py [--root DIR] [--table FILE]

Prints one line for each thing that is wrong, `file:line: what`; exit status 1 when there was one.
"""
import argparse
import fnmatch
import os
import re
import sys

ROOMS = ("gateway", "config", "adapters", "rules")  # what the table must cover
LENGTH = ROOMS + ("tests", "packaging")             # where the limit of lines holds
INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]*)"|<([^>]*)>|(\S.*))')


class Table:
    """rooms.txt, read."""

    def __init__(self, path):
        self.places, self.doors, self.keep, self.may = {}, {}, {}, {}
        self.homes, self.free, self.long = [], [], None
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                words = line.split("#")[0].split()
                if words:
                    self._take(words, f"{path}:{number}")
        unknown = {room for room in list(self.doors) + list(self.may) if room not in self.places}
        if unknown or self.long is None:
            raise SystemExit(f"{path}: no line `long`, or no room {sorted(unknown)}")

    def _take(self, words, where):
        kind, rest = words[0], words[1:]
        named = {"room": self.places, "door": self.doors, "keep": self.keep, "may": self.may}
        if kind in named and len(rest) >= 2:
            named[kind].setdefault(rest[0], []).extend(rest[1:])
        elif kind == "home" and len(rest) >= 2:
            self.homes.append((rest[0], rest[1:]))
        elif kind == "free" and rest:
            self.free.extend(rest)
        elif kind == "long" and len(rest) == 1:
            self.long = int(rest[0])
        else:
            raise SystemExit(f"{where}: not understood")

    def room_of(self, path):
        """The room that owns `path`; None when no line names it."""
        best, owner = -1, None
        for room, places in self.places.items():
            for place in places:
                if lies_in(path, place) and len(place) > best:
                    best, owner = len(place), room
        return owner

    def is_door(self, room, header):
        return matches(header, self.doors.get(room, [])) and \
            not matches(header, self.keep.get(room, []))


def lies_in(path, place):
    return path == place or (place.endswith("/") and path.startswith(place))


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def sources(root, folders):
    """Every .c and .h below these folders, from the root, in order."""
    for folder in folders:
        for where, inner, names in os.walk(os.path.join(root, folder)):
            inner.sort()
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(where, name), root)


def check_own(root, table, path, room, header):
    """What is wrong with `#include "header"` in a file of `room`; None when nothing is."""
    if not os.path.isfile(os.path.join(root, header)):
        # Configured headers lie in the build folder; they would need a line of their own.
        return f'"{header}" is not there from the root of the source'
    owner = table.room_of(header)
    if owner is None:
        return f'"{header}" belongs to no room'
    if owner == room:
        return None
    allowed = table.may.get(room, [])
    if owner not in allowed and header not in allowed:
        return f"{room} may not include {owner} (\"{header}\")"
    if header not in allowed and not table.is_door(owner, header):
        return f'"{header}" is no door of {owner}'
    return None


def check_system(table, path, header):
    """The same for `#include <header>`."""
    homes = [places for pattern, places in table.homes if fnmatch.fnmatchcase(header, pattern)]
    if homes:
        if any(lies_in(path, place) for places in homes for place in places):
            return None
        return f"<{header}> lives in {' '.join(homes[0])} only"
    if matches(header, table.free):
        return None
    return f"<{header}> is in no line of the table"


def check_includes(root, table, path, lines):
    room = table.room_of(path)
    if room is None:
        yield 1, "belongs to no room"
        return
    # A header that is included first shows whether it stands on its own.
    own = path[:-2] + ".h"
    must = path.endswith(".c") and os.path.isfile(os.path.join(root, own))
    first = True
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quoted, angled, other = found.groups()
        if first and must and (quoted is None or table.room_of(quoted) != room):
            yield number, f'its own header "{own}" comes first'
        first = False
        if quoted is not None:
            wrong = check_own(root, table, path, room, quoted)
        elif angled is not None:
            wrong = check_system(table, path, angled)
        else:
            wrong = f"an include that cannot be read: {other.strip()}"
        if wrong:
            yield number, wrong


def check(root, table):
    """All that is wrong below `root`, as lines; and how many files were looked at."""
    wrong, count = [], 0
    for path in sources(root, LENGTH):
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        count += 1
        if len(lines) > table.long:
            wrong.append(f"{path}:{table.long + 1}: {len(lines)} lines, {table.long} are allowed")
        if path.split("/")[0] in ROOMS:
            wrong.extend(f"{path}:{number}: {what}"
                         for number, what in check_includes(root, table, path, lines))
    return wrong, count


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=os.path.join(here, "..", ".."))
    parser.add_argument("--table", default=os.path.join(here, "rooms.txt"))
    options = parser.parse_args()
    wrong, count = check(options.root, Table(options.table))
    for line in wrong:
        print(line)
    print(f"{count} files, {len(wrong)} things wrong")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
