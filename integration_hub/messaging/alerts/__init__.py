"""Alerts: rules over kinds of exception and figures, messages to channels, each sent as a row of its own outbox."""
