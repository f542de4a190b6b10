"""Doors for machines: intake, notices and answers, checks and sightings."""
