"""The roof: wires everything, decides nothing."""

from takedown import driver
from takedown.celery import app as celery_app

__all__ = ["celery_app", "driver"]
