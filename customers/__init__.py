"""People and companies that order, recognised by external id or e-mail."""
