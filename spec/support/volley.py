#!/usr/bin/env python3
"""As many requests as asked for, all at once: volley.py URL COUNT [BODY].

A BODY of JSON is posted, with the request's number for each # in it. Prints how they ended as
JSON: a status, or what went wrong, and how often.
"""
import collections
import json
import sys
import threading
import urllib.request


def ask(url, body, ends):
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as response:
            response.read()
            ends.append(str(response.status))
    except OSError as error:
        ends.append(type(error).__name__ + ": " + str(error))


def main():
    url, count, body = sys.argv[1], int(sys.argv[2]), (sys.argv[3:] or [None])[0]
    ends = []
    threads = [threading.Thread(target=ask, args=(url, body and body.replace("#", str(i)).encode(), ends))
               for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(collections.Counter(ends)))


if __name__ == "__main__":
    main()
