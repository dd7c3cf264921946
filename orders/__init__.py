"""Canonical orders: recorded, validated, written to the ERP, told back to the shop."""
