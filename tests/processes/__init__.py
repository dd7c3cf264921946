"""The hub as processes: real workers under load, stopped, cut off, apart in time, and more than one machine."""
