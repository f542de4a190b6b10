"""Logging in, and what a person sees and changes of their own way in."""
