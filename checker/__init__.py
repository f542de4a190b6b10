"""The isolated checker: asks which material is due a look, looks from outside, reports what it saw.

A program of its own. It knows the API and nothing else of Takedown, so that it can run on another
machine, behind another network exit (docs/checker.md).
"""
