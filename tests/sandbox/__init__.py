"""The sandbox: its wire formats, its misbehaviour, and our connectors against it."""
