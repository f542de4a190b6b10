"""`python -m tests.island.webhooks FOLDER`: our sender of webhooks among hostile endpoints; what it did, as JSON."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.hostile import CERTIFICATE, Site, secured
from tests.island import attacks, network

MARKER = os.urandom(16).hex().encode()
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def main(folder: Path) -> dict[str, Any]:
    """Hand one message to every endpoint of the attacks, by the channel as it is in production."""
    network.settle(folder)
    home = folder / "home"
    home.mkdir()
    os.environ |= {"SSL_CERT_FILE": str(CERTIFICATE), "HOME": str(home), "TMPDIR": str(home)}
    os.environ["DJANGO_SETTINGS_MODULE"] = "takedown.settings"
    # Read from the environment when they are first needed, which is above.
    from providers.channels import webhook
    from providers.channels.result import Call

    names = network.Names()
    names.turns |= attacks.TURNS
    behaviours = attacks.answers(MARKER)
    site = Site({f"/{name}": behave for name, behave in behaviours.items()}, address=network.WEB, port=443)
    site.greets = secured
    call = Call("msg_0123", datetime.now(UTC), b"{}", (SECRET,))
    said: dict[str, str] = {}
    with network.Shore() as shore, site, webhook.session() as channel:

        def give(name: str, url: str) -> None:
            result = channel.hand_over(call, sender="", recipient=url)
            said[name] = f"{type(result).__name__} {getattr(result, 'permanent', '')} {result.answer}"

        for url in attacks.direct():
            give(url, url.replace("http://", "https://"))
            give(f"{url} 8443", url.replace("http://", "https://").replace(".test/", ".test:8443/"))
        for name in behaviours:
            give(name, f"https://site.test/{name}")
        # The name of the certificate itself turns: what was public at the test button is not at the next message.
        names.turns["site.test"] = [[network.WEB]] * (1 + names.asked["site.test 1"]) + [["127.0.0.1"]]
        give("before it turns", "https://site.test/page")
        give("after it has turned", "https://site.test/page")
        counted = network.counted(shore)
    marked = [str(path) for path in folder.rglob("*") if path.is_file() and MARKER in path.read_bytes()]
    return {**counted, "said": said, "requests": site.connections, "marked": marked}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
