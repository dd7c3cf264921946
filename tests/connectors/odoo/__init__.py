"""Odoo: contract, writing, polling, errors."""
