"""How notices are followed, in figures: the one arithmetic of the provider's scorecard and the public monitor; pure."""
