"""What runs as programs of their own: demo, worker, and the commands of an operator."""
