"""Ways to learn what a host name stands for."""
