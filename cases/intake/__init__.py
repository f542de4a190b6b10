"""Ways in for files of reports: each reads its own shape into the same lines.

A new one is a module with a `WAY`, and a word here.
"""

from cases.intake import csv_file, json_lines, pasted

WAYS = (csv_file.WAY, json_lines.WAY, pasted.WAY)
