"""Celery is only the clock: beat wakes the sweeps, and the rows say what is to be done."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "takedown.settings")

app = Celery("takedown")
app.config_from_object("takedown.settings:CELERY")
app.autodiscover_tasks()
