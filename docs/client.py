#!/usr/bin/env python3
"""Ask the hotline what is open and tell it what was done. For a cron job; needs nothing but Python 3.9.

TAKEDOWN_API=https://hotline.example/api/v1/ TAKEDOWN_KEY=td_... python3 client.py
Exit status: 0 all was told, 1 something was refused, 2 the hotline could not be reached: run it again.
"""

import http.client, json, os, sys, time, urllib.error, urllib.request, uuid  # noqa: E401, I001

API, KEY = os.environ["TAKEDOWN_API"], os.environ["TAKEDOWN_KEY"]


def call(url, body=None):
    """The answer to a GET, or to a POST of `body`. However often it is sent, it counts once."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json", "Accept-Language": "en"}
    headers["Idempotency-Key"] = str(uuid.uuid4())
    for tries_left in range(4, -1, -1):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
                return json.load(answer)
        except (OSError, http.client.HTTPException) as fault:  # an HTTPError is an OSError too
            code, says = getattr(fault, "code", 503), getattr(fault, "headers", None) or {}
            if code not in (409, 429, 500, 502, 503, 504):
                sys.exit(f"{code} {fault.read().decode()}")
            print(fault, file=sys.stderr)
            if tries_left:
                time.sleep(min(int(says.get("Retry-After") or 5), 120))
    print("The hotline cannot be reached: run me again.", file=sys.stderr)
    sys.exit(2)


def open_notices():
    """Every notice whose term runs or has ended, by reference; what is new to you has arrived with this."""
    found = {}
    for state in ("received", "notified", "escalated"):
        page = {"next": API + "notices/?page_size=500&state=" + state}
        while page["next"]:
            page = call(page["next"])
            found.update((each["reference"], each) for each in page["results"])
    return found.values()


def handle(notice):
    """Yours to write. `notice["url"]` is null unless your notices come by API: call(API + "notices/N-.../") has it.

    Return {"answer": "acknowledged" | "removed" | "already_gone" | ..., "note": "..."}, or None for nothing new.
    """
    print(notice["reference"], "due", notice["due_at"], notice["ip"], notice["masked_url"])
    return None if notice["acknowledged_at"] else {"answer": "acknowledged"}


said = [{"reference": each["reference"], **answer} for each in open_notices() if (answer := handle(each))]
refused = 0
for start in range(0, len(said), 1000):
    for result in call(API + "notices/answers/", {"answers": said[start : start + 1000]})["results"]:
        print(result["reference"], result["outcome"], result.get("reason", ""))
        refused += result["outcome"] == "refused"
sys.exit(1 if refused else 0)
