"""Where a web server finds Takedown: `gunicorn takedown.wsgi`."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "takedown.settings")

application = get_wsgi_application()

# Doors and forms now, and not while somebody waits for the first page. All of it stays for as long as the process
# lives: told so, the collector does not walk it again in the middle of a request, which takes a tenth of a second.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
