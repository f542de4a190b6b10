"""What a provider's people fill in: shape only, the services decide."""
