"""The hub under fire: a played world orders, processes are killed, the database crashes; then the books must agree."""
