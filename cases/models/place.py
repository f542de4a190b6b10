"""Where this database lives, so that a copy that was put back from a backup notices that it is one."""

from django.db import models
from django.db.models import Q


class Place(models.Model):
    """One row. `fingerprint` is what the server said of itself when we came to live there (services/restored.py).

    Whatever was sent between the backup and its return is not in the rows: of all that was there at `doubted_until`
    nobody can tell whether it has gone out.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fingerprint = models.CharField(max_length=100)
    since = models.DateTimeField()
    doubted_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="place_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.fingerprint
