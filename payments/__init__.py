"""Payments, fees, refunds and payouts.  The floor is laid; its first process is an issue of its own."""
