"""How fast the hub is, each figure as a ratio to a yardstick run beside it on the same machine: ``make bench``."""
