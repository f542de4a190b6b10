"""Ways in for reports: each reads its own shape into the same lines."""
