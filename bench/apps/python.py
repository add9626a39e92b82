# SPDX-License-Identifier: BSD-2-Clause
"""What bench/apps/python runs: python.py ROUNDS RECORDS

Dictionaries, strings, json and sorting, on records that live as long as a
round. Prints one line a round, which is the same for every allocator.
"""
import json
import sys
import zlib


def records(n):
    for i in range(n):
        yield {
            "id": i,
            "name": "name-%x" % (i * 40503 % 65537),
            "tags": ["t%d" % (i * k % 97) for k in range(i % 7)],
            "size": i * 7919 % 10007 / 8,
            "note": "%d " % i * (i % 30),
        }


def one_round(n):
    table = list(records(n))
    by_name = {}
    for r in table:
        by_name.setdefault(r["name"][:7], []).append(r)
    words = {}
    for r in table:
        for w in r["note"].split() + r["tags"]:
            words[w] = words.get(w, 0) + 1
    text = json.dumps(table)
    back = json.loads(text)
    assert back == table
    back.sort(key=lambda r: (r["name"], -r["size"]))
    lines = "\n".join("%(name)s\t%(size).3f\t%(note)s" % r for r in back)
    fields = [tuple(line.split("\t")) for line in lines.splitlines()]
    fields.sort(key=lambda f: f[::-1])
    short = {f: len(f[2]) for f in fields if f[2].startswith("1")}
    # Half of it goes and comes again among what stays.
    del table[::2]
    table += [dict(r, name=r["name"].upper()) for r in table]
    return zlib.crc32(repr((
        text[-80:], len(text), sorted(by_name)[:9], sorted(words.items())[:9],
        lines[:99], fields[-3:], sum(short.values()), len(table),
    )).encode())


for _ in range(int(sys.argv[1])):
    print(one_round(int(sys.argv[2])))
