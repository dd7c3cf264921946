"""Integration Hub: joins the systems of a merchant so that processes run, not just data."""
